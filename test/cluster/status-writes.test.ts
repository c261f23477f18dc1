import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { CountingProxy } from './counting-proxy.ts'
import { hostAddress } from './host-address.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, oidcPlugin, secret } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'

const LIVE = { timeout: 45_000, interval: 100 }
interface Counted {
  readonly ostiary: OstiaryProcess
  readonly proxy: CountingProxy
}

/** What is written, by whom and how often, as the API server sees it: each process has a proxy that counts. */
describe.skipIf(clusterRequirement())('requests to the API server', () => {
  /** Answers, so that nothing is found out at run time that would change a condition. */
  let authorizationServer: AuthorizationServer
  let namespace: string
  let classes: readonly [ours: string, second: string, foreign: string]
  const started: Counted[] = []

  const start = async (controller: string, ...args: string[]): Promise<Counted> => {
    const proxy = await CountingProxy.start()
    const ostiary = new OstiaryProcess([
      `--namespace=${namespace}`,
      `--watch-namespace=${namespace}`,
      `--kubeconfig=${proxy.kubeconfig}`,
      `--controller-class=ostiary.dev/${controller}`,
      ...args,
    ])
    started.push({ ostiary, proxy })
    await ostiary.ready()
    return { ostiary, proxy }
  }
  const startOurs = (...args: string[]) => start(classes[0], '--publish-status-address=192.0.2.1', ...args)
  const put = (name: string, className: string, plugins?: string) =>
    apply(
      namespace,
      ingressFor(name, {
        className,
        host: `${name}.example.test`,
        ...(plugins !== undefined && { plugins }),
      }),
    )
  const addressOf = (name: string) =>
    kubectl(['-n', namespace, 'get', 'ingress', name, '-o', 'jsonpath={.status.loadBalancer.ingress[*].ip}'])
  const hasAddress = (name: string, address = '192.0.2.1') =>
    expect.poll(() => addressOf(name), LIVE).toBe(address)
  /** Told where cookies keep the sessions of several replicas. */
  const isWarnedOfReplicas = async (name: string) => {
    const path = '{.status.conditions[?(@.type=="Warning")].message}'
    const message = await kubectl(['-n', namespace, 'get', 'oidcplugin', name, '-o', `jsonpath=${path}`])
    return message.includes('several replicas may refresh')
  }
  const issuer = () => ({ issuer: authorizationServer.issuer, insecureAllowHttp: true, audience: ['shop'] })
  const bearer = () => ({ ...issuer(), authMethods: ['bearer'] })
  const rotating = () => ({
    ...issuer(),
    authMethods: ['authorization_code', 'session'],
    clientId: 'shop',
    clientSecretRef: { name: 'client' },
    scopes: ['openid', 'offline_access'],
  })

  beforeAll(async () => {
    await installCrds()
    authorizationServer = await startAuthorizationServer({ port: 0, host: hostAddress() })
    namespace = await createNamespace('ostiary-writes')
    classes = [namespace, `${namespace}-2`, `${namespace}-f`]
    await apply(
      namespace,
      ingressClass(classes[0], `ostiary.dev/${classes[0]}`),
      ingressClass(classes[1], `ostiary.dev/${classes[1]}`),
      ingressClass(classes[2], 'example.com/another-controller'),
      secret('client', { clientSecret: 'a-secret-of-nobody' }, true),
      oidcPlugin('good', bearer()),
      oidcPlugin('bad', { ...bearer(), clientId: 'shop', clientSecretRef: { name: 'nowhere' } }),
      {
        apiVersion: 'ostiary.dev/v1alpha1',
        kind: 'Consumer',
        metadata: { name: 'ann' },
        spec: { username: 'ann' },
      },
    )
    await put('first', classes[0], 'good')
  })

  afterAll(async () => {
    for (const { ostiary, proxy } of started) {
      ostiary.kill()
      await proxy.close()
    }
    await authorizationServer?.close()
    if (namespace === undefined) return
    await kubectl(['delete', 'ingressclass', ...classes, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  test('what is right is not written again: not by a later compile, and not by the next leader', async () => {
    const { ostiary, proxy } = await startOurs()
    await hasAddress('first')
    await kubectl(['-n', namespace, 'wait', '--for=condition=Accepted', 'oidcplugin/good', 'consumer/ann'])
    await kubectl(['-n', namespace, 'wait', '--for=condition=ResolvedRefs=False', 'oidcplugin/bad'])
    // Each once, and perhaps not all: on a shared cluster another installation may have said the same before.
    const first = proxy.statusWrites
    expect(first).toEqual([...new Set(first)])
    expect(first).toContain('ingresses/first')
    // Conditions are written before addresses, so that the pass of this compile has looked at all of the above.
    await put('second', classes[0])
    await hasAddress('second')
    expect(proxy.statusWrites.slice(first.length)).toEqual(['ingresses/second'])
    expect(await ostiary.stop()).toBe(0)

    const next = await startOurs()
    await put('third', classes[0])
    await hasAddress('third')
    expect(next.proxy.statusWrites).toEqual(['ingresses/third'])
    const { body } = await next.ostiary.probe('/metrics')
    expect(body).toMatch(/ostiary_status_writes_total\{kind="Ingress",result="written"\} 1\b/)
    expect(body).toMatch(/ostiary_leader 1\b/)
  })

  test("a foreign controller's Ingress is in no request, whatever it says", async () => {
    const [{ proxy }] = started.slice(-1) as [Counted]
    const typo = { metadata: { name: 'foreign', annotations: { 'ostiary.dev/plugin': 'good' } } }
    const foreign = ingressFor('foreign', { className: classes[2], host: 'first.example.test' })
    const missing = ingressFor('missing', { className: `${namespace}-nobody`, host: 'first.example.test' })
    await apply(
      namespace,
      { ...foreign, ...typo },
      { ...missing, metadata: { ...typo.metadata, name: 'missing' } },
    )
    await put('fourth', classes[0])
    await hasAddress('fourth')
    expect(proxy.requests.filter(({ path }) => /foreign|missing/.test(path))).toEqual([])
    for (const name of ['foreign', 'missing']) {
      const { status } = (await getJson(['ingress', name, '-n', namespace])) as { status: unknown }
      expect(status).toEqual({ loadBalancer: {} })
    }
  })

  test('only the leader writes', async () => {
    const [leader] = started.slice(-1) as [Counted]
    const follower = await startOurs()
    const before = leader.proxy.statusWrites.length
    await put('fifth', classes[0])
    await hasAddress('fifth')
    await expect
      .poll(async () => (await follower.ostiary.probe('/metrics')).body, LIVE)
      .toMatch(/ostiary_objects\{kind="Ingress",resource="[^"]*"\} 7\b/)
    expect(leader.proxy.statusWrites.slice(before)).toEqual(['ingresses/fifth'])
    expect(follower.proxy.writes).toEqual([])
    expect((await follower.ostiary.probe('/metrics')).body).toMatch(/ostiary_leader 0\b/)
    expect(await follower.ostiary.stop()).toBe(0)
  })

  test('two installations lead side by side, serve and write their own, and a shared plugin has one writer', async () => {
    const [ours] = started.slice(-2) as [Counted]
    await apply(namespace, oidcPlugin('shared', rotating()))
    await put('older', classes[0], 'shared')
    await hasAddress('older')
    const theirs = await start(classes[1], '--publish-status-address=192.0.2.2', '--replicas=3')
    await put('younger', classes[1], 'shared')
    await hasAddress('younger', '192.0.2.2')
    await put('alone', classes[1], 'good')
    await hasAddress('alone', '192.0.2.2')
    expect(await addressOf('older')).toBe('192.0.2.1')

    const leases = await kubectl([
      '-n',
      namespace,
      'get',
      'lease',
      '-o',
      'jsonpath={.items[*].metadata.name}',
    ])
    expect(leases.split(' ').toSorted()).toEqual([
      `ostiary-leader-${classes[0]}`,
      `ostiary-leader-${classes[1]}`,
    ])
    for (const { ostiary } of [ours, theirs]) {
      expect((await ostiary.probe('/metrics')).body).toMatch(/ostiary_leader 1\b/)
    }
    expect(theirs.proxy.statusWrites).toEqual(['ingresses/younger', 'ingresses/alone'])
    expect(ours.proxy.writes.filter(({ path }) => /younger|alone/.test(path))).toEqual([])
    expect((await ours.ostiary.get('younger.example.test', '/')).status).toBe(404)
    expect((await theirs.ostiary.get('older.example.test', '/')).status).toBe(404)
    // They disagree: only one of them has replicas.
    expect(await isWarnedOfReplicas('shared')).toBe(false)

    await kubectl(['-n', namespace, 'delete', 'ingress', 'older'])
    await expect.poll(() => isWarnedOfReplicas('shared'), LIVE).toBe(true)
    const before = ours.proxy.statusWrites.length
    await put('last', classes[0])
    await hasAddress('last')
    expect(ours.proxy.statusWrites.slice(before)).toEqual(['ingresses/last'])
    expect(await isWarnedOfReplicas('shared')).toBe(true)
  })
})
