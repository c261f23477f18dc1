import * as fc from 'fast-check'
import { parseObject } from '../../src/api/parse-object.ts'
import type { BrokenInput, KubernetesObject, Resources } from '../../src/api/resources.ts'
import type { CompileOptions } from '../../src/compiler/options.ts'
import { collectResources } from '../../src/source/collect-resources.ts'

/** Small pools, so that objects name each other and collide. */
const namespace = fc.constantFrom('default', 'team', '__proto__', 'constructor')
const name = fc.constantFrom('a', 'b', 'c')
const host = fc.constantFrom(
  'a.example.com',
  'b.example.com',
  '*.example.com',
  '',
  'BAD',
  '10.0.0.1',
  'localhost',
)
const path = fc.constantFrom(
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/oauth2',
  '/%7ea',
  '/a//b',
  '/../a',
  'a',
  '',
  '/é',
  '/a%2fb',
)
const time = fc.option(
  fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', 'yesterday', '2026-01-01T01:00:00+01:00'),
  { nil: undefined },
)
const pluginList = fc.constantFrom(
  'a',
  'b',
  'a, b',
  'b,a,c',
  'team/a',
  'default/b',
  '',
  ' , ',
  'a b',
  '../a',
  'missing',
)
const annotations = fc.dictionary(
  fc.constantFrom(
    'ostiary.dev/plugins',
    'ostiary.dev/public',
    'ostiary.dev/allow-groups',
    'ostiary.dev/deny-groups',
    'ostiary.dev/allow-double-slash',
    'ostiary.dev/strip-path',
    'ostiary.dev/rate-limit',
    'ostiary.dev/ssl-redirect',
    'ostiary.dev/client-ca-secret',
    'ostiary.dev/plugin',
    'kubernetes.io/ingress.class',
    'konghq.com/plugins',
    'nginx.ingress.kubernetes.io/auth-url',
  ),
  fc.oneof(
    { weight: 3, arbitrary: pluginList },
    { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'ostiary', '1/1s per consumer') },
  ),
  { maxKeys: 2 },
)

const upstreamAnnotations = fc.record(
  {
    'ostiary.dev/backend-protocol': fc.constantFrom('HTTP', 'HTTPS', 'GRPC', 'gopher'),
    'ostiary.dev/upstream-ca-secret': name,
    'ostiary.dev/upstream-client-certificate-secret': name,
    'ostiary.dev/retries': fc.constantFrom('0', '2', 'many'),
    'ostiary.dev/session-affinity': fc.constantFrom('cookie', 'none'),
    'ostiary.dev/canary-service': name,
    'ostiary.dev/canary-weight': fc.constantFrom('0', '50', '101'),
    'ostiary.dev/plugins': pluginList,
  },
  { requiredKeys: [] },
)

function meta(more: Readonly<Record<string, fc.Arbitrary<unknown>>> = {}): fc.Arbitrary<object> {
  return fc.record({ name, namespace, creationTimestamp: time, ...more })
}

const backend = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      service: fc.record({
        name,
        port: fc.constantFrom<object>(
          { number: 80 },
          { name: 'http' },
          { number: 81 },
          {},
          { name: 'x', number: 80 },
        ),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<object>({}, { resource: { kind: 'Bucket', name: 'x' } }) },
)

const rule = fc.record(
  {
    host,
    http: fc.record({
      paths: fc.array(
        fc.record({ path, pathType: fc.constantFrom('Exact', 'Prefix', 'ImplementationSpecific'), backend }),
        { maxLength: 3 },
      ),
    }),
  },
  { requiredKeys: [] },
)

export const rawIngress = fc.record({
  apiVersion: fc.constant('networking.k8s.io/v1'),
  kind: fc.constant('Ingress'),
  metadata: meta({ annotations }),
  spec: fc.record(
    {
      ingressClassName: fc.constantFrom('ostiary', 'ostiary', 'ostiary', 'other', null),
      defaultBackend: backend,
      rules: fc.array(rule, { maxLength: 3 }),
      tls: fc.array(fc.record({ hosts: fc.array(host, { maxLength: 2 }), secretName: name }), {
        maxLength: 2,
      }),
    },
    { requiredKeys: ['rules'] },
  ),
})

const rawService = fc.record({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('Service'),
  metadata: meta({ annotations: fc.oneof(fc.constant({}), annotations, upstreamAnnotations) }),
  spec: fc.record({
    type: fc.constantFrom('ClusterIP', 'ClusterIP', 'ExternalName'),
    externalName: fc.constantFrom('x.example.com', '127.1', null),
    ports: fc.array(
      fc.record({
        name: fc.constantFrom('http', ''),
        port: fc.constantFrom(80, 81),
        protocol: fc.constantFrom('TCP', 'UDP'),
      }),
      { maxLength: 2 },
    ),
  }),
})

const rawSlice = fc.record({
  apiVersion: fc.constant('discovery.k8s.io/v1'),
  kind: fc.constant('EndpointSlice'),
  metadata: meta({ labels: fc.record({ 'kubernetes.io/service-name': name }) }),
  addressType: fc.constantFrom('IPv4', 'IPv6', 'FQDN'),
  endpoints: fc.array(
    fc.record({
      addresses: fc.array(fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1', 'x.example.com'), {
        minLength: 1,
        maxLength: 2,
      }),
      conditions: fc.record(
        { ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() },
        { requiredKeys: [] },
      ),
    }),
    { maxLength: 3 },
  ),
  ports: fc.array(fc.record({ name: fc.constantFrom('http', ''), port: fc.constantFrom(8080, 0, null) }), {
    maxLength: 2,
  }),
})

const rawSecret = fc.record({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('Secret'),
  metadata: meta({ labels: fc.constantFrom({}, { 'ostiary.dev/secret': 'true' }) }),
  type: fc.constantFrom('Opaque', 'kubernetes.io/tls'),
  stringData: fc.dictionary(
    fc.constantFrom('clientSecret', 'ca.crt', 'tls.crt', 'tls.key', '__proto__'),
    fc.constantFrom('hush', 'other', '', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
  ),
})

const rawPlugin = fc.record({
  apiVersion: fc.constant('ostiary.dev/v1alpha1'),
  kind: fc.constant('OIDCPlugin'),
  metadata: meta(),
  spec: fc.record(
    {
      issuer: fc.constantFrom(
        'https://one.example.com',
        'https://two.example.com/x',
        'http://bad.example.com',
        'https://[',
        'https://a?b',
      ),
      clientId: fc.constant('client'),
      clientSecretRef: fc.record({ name }),
      caSecretRef: fc.record({ name }),
      authMethods: fc.constantFrom(['bearer'], ['authorization_code', 'session'], ['introspection'], []),
      allowedNamespaces: fc.constantFrom(['*'], ['team'], []),
      upstreamHeaders: fc.constantFrom([{ header: 'X_A', path: ['a'] }], [{ header: 'Host', path: ['a'] }]),
      sessionCookieDomain: fc.constantFrom('example.com', '.a.example.com', 'localhost', '127.0.0.1'),
      redirectUri: fc.constantFrom('https://a.example.com/cb', 'https://[/'),
      groupsRequired: fc.constantFrom(['a "b c"'], ['"']),
      unknown: fc.constant(1),
    },
    { requiredKeys: ['issuer'] },
  ),
})

const rawConsumer = fc.record({
  apiVersion: fc.constant('ostiary.dev/v1alpha1'),
  kind: fc.constant('Consumer'),
  metadata: meta(),
  spec: fc.record({ username: name, customId: name }, { requiredKeys: [] }),
})

const rawClass = fc.record({
  apiVersion: fc.constant('networking.k8s.io/v1'),
  kind: fc.constant('IngressClass'),
  metadata: fc.record({ name: fc.constantFrom('ostiary', 'other') }),
  spec: fc.record({
    controller: fc.constantFrom(
      'ostiary.dev/ingress-controller',
      'ostiary.dev/internal',
      'example.com/other',
    ),
  }),
})

const rawNamespace = fc.record({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('Namespace'),
  metadata: fc.record({ name: namespace }),
  status: fc.record({ phase: fc.constantFrom('Active', 'Active', 'Terminating') }),
})

/** Raw objects that mostly parse, mostly refer to each other, and are wrong in every way known. */
export const rawObjects = fc
  .tuple(
    fc.array(rawIngress, { minLength: 1, maxLength: 6 }),
    fc.array(rawService, { maxLength: 4 }),
    fc.array(rawSlice, { maxLength: 3 }),
    fc.array(rawSecret, { maxLength: 3 }),
    fc.array(rawPlugin, { maxLength: 4 }),
    fc.array(rawConsumer, { maxLength: 4 }),
    fc.array(fc.oneof(rawClass, rawNamespace), { maxLength: 2 }),
  )
  .map((lists) => lists.flat() as unknown[])

/**
 * One Ingress before one Service that is there, and perhaps its canary, each with or without any list, and plugins that
 * are accepted.
 */
export const rawAttachments = fc
  .record({
    own: pluginsAnnotation(),
    floor: pluginsAnnotation(),
    canary: fc.constantFrom<object>({}, { 'ostiary.dev/canary-service': 'canary' }),
    canaryFloor: pluginsAnnotation(),
    more: annotations,
  })
  .map(({ own, floor, canary, canaryFloor, more }): unknown[] => [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web', namespace: 'default', annotations: { ...more, ...own } },
      spec: {
        ingressClassName: 'ostiary',
        defaultBackend: { service: { name: 'web', port: { number: 80 } } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default', annotations: { ...floor, ...canary } },
      spec: { ports: [{ port: 80 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'canary', namespace: 'default', annotations: canaryFloor },
      spec: { ports: [{ port: 80 }] },
    },
    ...['a', 'b'].map((name) => ({
      apiVersion: 'ostiary.dev/v1alpha1',
      kind: 'OIDCPlugin',
      metadata: { name, namespace: 'default' },
      spec: { issuer: 'https://idp.example.com', audience: ['api'] },
    })),
  ])

function pluginsAnnotation(): fc.Arbitrary<Record<string, string>> {
  return fc.oneof(
    fc.constant({}),
    pluginList.map((plugins) => ({ 'ostiary.dev/plugins': plugins })),
  )
}

/** Objects of kinds that are read, with anything at all in them. */
export const wildObjects = fc.array(
  fc
    .tuple(
      fc.constantFrom(
        ['networking.k8s.io/v1', 'Ingress'],
        ['networking.k8s.io/v1', 'IngressClass'],
        ['v1', 'Service'],
        ['v1', 'Secret'],
        ['v1', 'Namespace'],
        ['discovery.k8s.io/v1', 'EndpointSlice'],
        ['ostiary.dev/v1alpha1', 'OIDCPlugin'],
        ['ostiary.dev/v1alpha1', 'Consumer'],
      ),
      fc.record({ metadata: fc.oneof(meta(), fc.anything()), spec: fc.anything() }, { requiredKeys: [] }),
      fc.boolean(),
    )
    .map(([[apiVersion, kind], rest, isBare]): unknown => (isBare ? rest : { ...rest, apiVersion, kind })),
  { maxLength: 8 },
)

export const compileOptions: fc.Arbitrary<CompileOptions> = fc.record(
  {
    ingressClass: fc.constant('ostiary'),
    takeClasslessIngresses: fc.boolean(),
    requirePlugin: fc.boolean(),
    defaultPlugins: fc.constantFrom<readonly string[]>(
      [],
      [],
      ['team/a'],
      ['default/b', 'default/missing'],
      ['x'],
    ),
    allowSharedHosts: fc.boolean(),
    allowExternalName: fc.boolean(),
    defaultCertificate: fc.constantFrom('default/a', 'nonsense'),
    controllerClass: fc.constantFrom('ostiary.dev/ingress-controller', 'ostiary.dev/internal'),
    requireIngressClass: fc.boolean(),
    disableCatchAll: fc.boolean(),
    defaultBackendService: fc.constantFrom('default/a', 'team/b', 'default/missing'),
  },
  {
    requiredKeys: [
      'ingressClass',
      'takeClasslessIngresses',
      'requirePlugin',
      'defaultPlugins',
      'allowSharedHosts',
      'allowExternalName',
    ],
  },
)

/** What a source makes of raw objects. */
export function resourcesOf(raws: readonly unknown[]): Resources {
  const objects: KubernetesObject[] = []
  const broken: BrokenInput[] = []
  for (const raw of raws) {
    const result = parseObject(raw)
    if (result.kind === 'object') objects.push(result.object)
    if (result.kind === 'broken') {
      broken.push({ ...(result.reference && { reference: result.reference }), problems: result.problems })
    }
  }
  return collectResources(objects, broken)
}
