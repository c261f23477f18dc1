import { KubeConfig } from '@kubernetes/client-node'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Resources } from '../../src/api/resources.ts'
import { ApiServer } from '../../src/source/cluster/api-server.ts'
import { createClusterSource, type ClusterSource } from '../../src/source/cluster/cluster-source.ts'
import { loadKubeConfig } from '../../src/source/cluster/kube-config.ts'
import { apply, createNamespace, deleteNamespace, installCrds, kubectl } from '../support/kubectl.ts'
import { clusterRequirement } from '../support/requirements.ts'

const logger = pino({ level: 'silent' })

async function start(
  watchNamespaces: readonly string[],
  load = () => loadKubeConfig(process.env['KUBECONFIG']),
): Promise<ClusterSource> {
  const api = new ApiServer(load)
  const source = createClusterSource({ api, logger, watchNamespaces })
  const controller = new AbortController()
  await source.start(() => {}, controller.signal)
  onTestFinished(async () => {
    controller.abort()
    await source.stopped()
    await api.close()
  })
  return source
}

function eventually(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 30_000, interval: 20 })
}

/** `kind/name` of everything in one namespace. */
function namesIn(namespace: string, { broken: _, ...lists }: Resources): Set<string> {
  return new Set(
    Object.values(lists)
      .flat()
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ kind, metadata }) => `${kind}/${metadata.name}`),
  )
}

function ingress(namespace: string, host: string): object {
  const backend = { service: { name: 'orders', port: { name: 'http' } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'orders', namespace, annotations: { 'ostiary.dev/plugins': 'okta' } },
    spec: { rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
  }
}

function everything(namespace: string): object[] {
  const metadata = (name: string, labels = {}): object => ({ name, namespace, labels })
  return [
    ingress(namespace, 'v1.example.com'),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('orders'),
      spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: metadata('orders-1', { 'kubernetes.io/service-name': 'orders' }),
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.10'], conditions: { ready: true } }],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    },
    {
      apiVersion: 'ostiary.dev/v1alpha1',
      kind: 'OIDCPlugin',
      metadata: metadata('okta'),
      spec: { issuer: 'https://issuer.example.com', clientId: 'ostiary' },
    },
    {
      apiVersion: 'ostiary.dev/v1alpha1',
      kind: 'Consumer',
      metadata: metadata('alice'),
      spec: { username: 'alice' },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata('labelled', { 'ostiary.dev/secret': 'true' }),
      stringData: { secret: 'v1' },
    },
    { apiVersion: 'v1', kind: 'Secret', metadata: metadata('other'), stringData: { secret: 'not ours' } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: metadata('certificate'),
      stringData: { 'tls.crt': '', 'tls.key': '' },
    },
  ]
}

describe.skipIf(clusterRequirement())('the cluster source on a real API server', () => {
  let namespace: string
  let elsewhere: string

  beforeAll(() => {
    installCrds()
    namespace = createNamespace('ostiary-source')
    elsewhere = createNamespace('ostiary-source')
  })

  afterAll(() => {
    deleteNamespace(namespace)
    deleteNamespace(elsewhere)
  })

  test('follows what is applied, changed and deleted, and sees no Secret that is not for it', async () => {
    const source = await start([])
    await eventually(() => expect(source.synced()).toBe(true))
    expect(namesIn(namespace, source.current())).toEqual(new Set())
    expect(source.current().namespaces.map(({ metadata }) => metadata.name)).toContain(namespace)

    apply(...everything(namespace))
    const all = [
      'Ingress/orders',
      'Service/orders',
      'EndpointSlice/orders-1',
      'OIDCPlugin/okta',
      'Consumer/alice',
      'Secret/labelled',
      'Secret/certificate',
    ]
    await eventually(() => expect(namesIn(namespace, source.current())).toEqual(new Set(all)))
    const plugin = source.current().oidcPlugins.find(({ metadata }) => metadata.namespace === namespace)
    expect(plugin?.spec).toMatchObject({ ok: true, value: { issuer: 'https://issuer.example.com' } })

    apply(ingress(namespace, 'v2.example.com'))
    const hostOf = (): string | null | undefined =>
      source.current().ingresses.find(({ metadata }) => metadata.namespace === namespace)?.spec.rules[0]?.host
    await eventually(() => expect(hostOf()).toBe('v2.example.com'))

    // Taking the label away takes the Secret away, and giving it brings the Secret.
    kubectl(['-n', namespace, 'label', 'secret', 'labelled', 'ostiary.dev/secret-'])
    kubectl(['-n', namespace, 'label', 'secret', 'other', 'ostiary.dev/secret=true'])
    const swapped = new Set([...all.filter((name) => name !== 'Secret/labelled'), 'Secret/other'])
    await eventually(() => expect(namesIn(namespace, source.current())).toEqual(swapped))

    kubectl(['-n', namespace, 'delete', 'ingress/orders', 'oidcplugin/okta', 'secret/other'])
    for (const name of ['Ingress/orders', 'OIDCPlugin/okta', 'Secret/other']) swapped.delete(name)
    await eventually(() => expect(namesIn(namespace, source.current())).toEqual(swapped))
    expect(source.problems()).toEqual([])
    expect(source.current().broken).toEqual([])
  })

  test('with namespaces given, sees those alone', async () => {
    apply(ingress(namespace, 'a.example.com'), ingress(elsewhere, 'b.example.com'))
    const source = await start([elsewhere])
    await eventually(() => expect(source.synced()).toBe(true))
    expect(source.current().ingresses.map(({ metadata }) => metadata.namespace)).toEqual([elsewhere])
    expect(source.current().namespaces.map(({ metadata }) => metadata.name)).toEqual([elsewhere])
  })

  test('tells which permission is missing, and goes on when it is granted', async () => {
    const account = `system:serviceaccount:${elsewhere}:ostiary`
    const role = `ostiary-source-${elsewhere}`
    onTestFinished(() => {
      kubectl(['delete', 'clusterrole,clusterrolebinding', role, '--ignore-not-found'])
    })
    kubectl(['-n', elsewhere, 'create', 'serviceaccount', 'ostiary'])
    const token = kubectl(['-n', elsewhere, 'create', 'token', 'ostiary']).trim()
    const asAccount = (): KubeConfig => {
      const cluster = loadKubeConfig(process.env['KUBECONFIG']).getCurrentCluster()
      if (cluster === null) throw new Error('the kubeconfig names no cluster')
      const config = new KubeConfig()
      config.loadFromClusterAndUser(cluster, { name: 'ostiary', token })
      return config
    }
    const source = await start([], asAccount)
    await eventually(() =>
      expect(source.problems()).toContainEqual({
        subject: 'ingresses.networking.k8s.io',
        message: expect.stringMatching(
          new RegExp(`403 Forbidden: .*${account}.*grant list and watch of ingresses`),
        ),
      }),
    )
    expect(JSON.stringify(source.problems())).not.toContain(token)
    const resources =
      'ingresses.networking.k8s.io,ingressclasses.networking.k8s.io,endpointslices.discovery.k8s.io,' +
      'services,secrets,namespaces,oidcplugins.ostiary.dev,consumers.ostiary.dev'
    kubectl(['create', 'clusterrole', role, '--verb=list,watch', `--resource=${resources}`])
    kubectl([
      'create',
      'clusterrolebinding',
      role,
      `--clusterrole=${role}`,
      `--serviceaccount=${elsewhere}:ostiary`,
    ])
    await eventually(() => expect(source.synced()).toBe(true))
    await eventually(() => expect(source.problems()).toEqual([]))
  })
})
