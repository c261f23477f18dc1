import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'

interface Ports {
  readonly upstream: number
  readonly issuer: string
  /** Of a Redis on this machine, where one is there. */
  readonly redis?: number
}

/** Guarded routes beside those of the benchmark, on hosts of their own and with paths of their own. */
export function writeMoreRoutes(folder: string, count: number): void {
  const documents = Array.from({ length: count }, (_, n) => {
    const route = ingress(`more-${n}`, { 'ostiary.dev/plugins': 'bearer' })
    return {
      ...route,
      spec: { rules: route.spec.rules.map((rule) => ({ ...rule, host: `host-${n >> 3}.example.com` })) },
    }
  })
  writeFileSync(path.join(folder, 'more.yaml'), documents.map((each) => stringify(each)).join('---\n'))
}

const client = { clientId: 'bench', clientSecretRef: { name: 'bench' } }

/** The routes of the benchmark: one for each way in. */
export function writeManifests(folder: string, { upstream, issuer, redis }: Ports): void {
  const documents = [
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'upstream' }, spec: { ports: [{ port: 80 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'upstream-1', labels: { 'kubernetes.io/service-name': 'upstream' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'] }],
      ports: [{ port: upstream }],
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bench', labels: { 'ostiary.dev/secret': 'true' } },
      stringData: { clientSecret: 'bench-secret' },
    },
    plugin('bearer', { issuer, authMethods: ['bearer'], audience: ['api://default'] }),
    plugin('introspection', { issuer, authMethods: ['introspection'], introspectJwtTokens: true, ...client }),
    plugin('login', { issuer, authMethods: ['session', 'authorization_code'], ...client }),
    ...(redis === undefined
      ? []
      : [inRedis({ issuer, redis }), ingress('redis', { 'ostiary.dev/plugins': 'redis' })]),
    ingress('open', { 'ostiary.dev/public': 'true' }),
    ...['bearer', 'introspection', 'login'].map((name) => ingress(name, { 'ostiary.dev/plugins': name })),
  ]
  writeFileSync(path.join(folder, 'bench.yaml'), documents.map((each) => stringify(each)).join('---\n'))
}

function inRedis({ issuer, redis }: { readonly issuer: string; readonly redis: number }): object {
  return plugin('redis', {
    issuer,
    authMethods: ['session', 'authorization_code'],
    ...client,
    sessionStorage: 'redis',
    redis: { host: '127.0.0.1', port: redis },
  })
}

function plugin(name: string, spec: object): object {
  return { apiVersion: 'ostiary.dev/v1alpha1', kind: 'OIDCPlugin', metadata: { name }, spec }
}

function ingress(name: string, annotations: Record<string, string>): IngressManifest {
  const backend = { service: { name: 'upstream', port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, annotations },
    spec: { rules: [{ http: { paths: [{ path: `/${name}`, pathType: 'Prefix', backend }] } }] },
  }
}

interface IngressManifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: object
  readonly spec: { readonly rules: readonly object[] }
}
