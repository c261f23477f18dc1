import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRequirement } from '../support/requirements.ts'
import { echoPods, echoSource } from './echo-pods.ts'
import { helm, helmRequirement, installChart, REFUSED } from './helm.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'
import { ingressFor } from './objects.ts'

const RELEASE = 'ostiary'
const HTTP = 28_080
const HTTPS = 28_443
const LIVE = { timeout: 30_000, interval: 100 }

interface Workload {
  readonly status: { readonly desiredNumberScheduled: number; readonly numberReady: number }
}

describe.skipIf(clusterRequirement() || helmRequirement())('the chart as a DaemonSet on host ports', () => {
  let namespace: string
  const host = 'host.daemonset.test'
  const values = (more: Readonly<Record<string, string>>) => ({
    kind: 'DaemonSet',
    'hostPort.enabled': 'true',
    'hostPort.http': String(HTTP),
    'hostPort.https': String(HTTPS),
    'service.enabled': 'false',
    publishNodeAddresses: 'true',
    'ingressClass.name': namespace,
    'ingressClass.controller': `ostiary.dev/${namespace}`,
    'crds.install': 'false',
    // A ClusterRole that reads this namespace alone, and IngressClasses.
    watchNamespaces: `{${namespace}}`,
    ...more,
  })

  /** Helm is content with a DaemonSet of which one pod is away, which may be the only one. */
  async function install(more: Readonly<Record<string, string>>): Promise<void> {
    await installChart(namespace, RELEASE, values(more))
    await kubectl(['-n', namespace, 'rollout', 'status', `daemonset/${RELEASE}`, '--timeout=120s'])
  }

  beforeAll(async () => {
    await installCrds()
    namespace = await createNamespace('ostiary-daemonset')
    await install({})
    const port = { name: 'http', port: 80, targetPort: 3000 }
    await apply(namespace, await echoSource(), ...echoPods({ name: 'echo', service: 'echo', port }))
    await apply(namespace, ingressFor('app', { className: namespace, host }))
    await kubectl(['--namespace', namespace, 'rollout', 'status', 'deployment/echo', '--timeout=60s'])
  })

  afterAll(async () => {
    if (namespace === undefined) return
    await helm(namespace, 'uninstall', RELEASE, '--ignore-not-found')
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  /** As the Ingress's status tells it. */
  async function address(): Promise<string> {
    const path = '-o=jsonpath={.status.loadBalancer.ingress[0].ip}'
    return kubectl(['--namespace', namespace, 'get', 'ingress', 'app', path])
  }

  async function status(): Promise<number> {
    const { statusCode, body } = await request(`http://${await address()}:${HTTP}/`, { headers: { host } })
    await body.dump()
    return statusCode
  }

  test('has a ready pod on each node', async () => {
    const { status: found } = (await getJson(['daemonset', RELEASE, '-n', namespace])) as Workload
    expect(found.numberReady).toBeGreaterThan(0)
    expect(found.numberReady).toBe(found.desiredNumberScheduled)
    expect(await kubectl(['-n', namespace, 'get', 'service', RELEASE, '--ignore-not-found'])).toBe('')
  })

  test('serves at the address of the node that the Ingress tells', async () => {
    const nodes = await kubectl(['get', 'nodes', '-o=jsonpath={.items[*].status.addresses[*].address}'])
    await expect.poll(address, LIVE).not.toBe('')
    expect(nodes.split(' ')).toContain(await address())
    await expect.poll(status, LIVE).toBe(200)
  })

  test('is refused nothing that it asks for', async () => {
    const log = await kubectl(['-n', namespace, 'logs', `daemonset/${RELEASE}`])
    expect(log).toContain('snapshot published')
    expect(log).not.toMatch(REFUSED)
  })

  test('is replaced on the same ports, as another’s would be refused there', async () => {
    const before = await kubectl([
      '-n',
      namespace,
      'get',
      'pods',
      '-l',
      `app.kubernetes.io/instance=${RELEASE}`,
      '-o=name',
    ])
    await install({ logLevel: 'debug' })
    const after = await kubectl([
      '-n',
      namespace,
      'get',
      'pods',
      '-l',
      `app.kubernetes.io/instance=${RELEASE}`,
      '-o=name',
    ])
    expect(after).not.toBe(before)
    await expect.poll(status, LIVE).toBe(200)
  })
})
