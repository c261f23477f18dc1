import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { hostAddress } from './host-address.ts'
import { apply, createNamespace, installCrds, kubectl } from './kubectl.ts'
import { ingressFor, oidcPlugin, serviceTo, tlsSecret } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'
import { boundRole, OWN_RULES, WATCHED_RULES, writeServiceAccountKubeconfig } from './service-account.ts'

const LIVE = { timeout: 45_000, interval: 100 }
const FORBIDDEN = /forbidden|cannot be (read|written|released|followed)/i

/** A service account to which no ClusterRole is bound, in a cluster that has no IngressClass of this name. */
describe.skipIf(clusterRequirement())('with Roles only', () => {
  /** The controller's own, two that it watches, and one that it may not. */
  let own: string
  let shop: string
  let blog: string
  let closed: string
  let className: string
  let folder: string
  let echo: Echo
  let ostiary: OstiaryProcess
  const processes: OstiaryProcess[] = []

  const start = (namespaces: string, ...args: string[]): OstiaryProcess => {
    const started = new OstiaryProcess([
      `--namespace=${own}`,
      `--kubeconfig=${path.join(folder, 'kubeconfig')}`,
      `--watch-namespace=${namespaces}`,
      `--ingress-class=${className}`,
      ...args,
    ])
    processes.push(started)
    return started
  }
  const status = async (host: string) => (await ostiary.get(host, '/page')).status
  const live = (host: string, expected: number) => expect.poll(() => status(host), LIVE).toBe(expected)
  const legacy = (name: string, host: string): object => {
    const { spec, ...rest } = ingressFor(name, { className, host }) as { spec: Record<string, unknown> }
    const { ingressClassName: _, ...unnamed } = spec
    return {
      ...rest,
      metadata: { name, annotations: { 'kubernetes.io/ingress.class': className } },
      spec: unnamed,
    }
  }

  beforeAll(async () => {
    await installCrds()
    folder = await mkdtemp(path.join(tmpdir(), 'ostiary-roles-'))
    own = await createNamespace('ostiary-roles')
    shop = await createNamespace('ostiary-roles-shop')
    blog = await createNamespace('ostiary-roles-blog')
    closed = await createNamespace('ostiary-roles-closed')
    className = own
    const account = { namespace: own, name: 'ostiary' }
    await apply(
      own,
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account.name } },
      ...boundRole('own', account, OWN_RULES),
    )
    const address = hostAddress()
    echo = await startEcho({ port: 0, host: address })
    for (const namespace of [shop, blog, closed]) {
      await apply(namespace, ...serviceTo('echo', address, echo.port))
      if (namespace !== closed) await apply(namespace, ...boundRole('watched', account, WATCHED_RULES))
    }
    await writeServiceAccountKubeconfig(path.join(folder, 'kubeconfig'), own, account.name)
    ostiary = start(`${shop},${blog}`, '--without-cluster-rights', '--publish-status-address=192.0.2.1')
    await ostiary.ready()
  })

  afterAll(async () => {
    for (const each of processes) each.kill()
    await echo?.close()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    const namespaces = [own, shop, blog, closed].filter((each) => each !== undefined)
    if (namespaces.length > 0) await kubectl(['delete', 'namespace', ...namespaces, '--wait=false'])
  })

  test('the class is matched by name, by field and by annotation, in the watched namespaces and in no other', async () => {
    await apply(closed, ingressFor('closed', { className, host: 'closed.roles.test' }))
    await apply(shop, ingressFor('shop', { className, host: 'shop.roles.test' }))
    await apply(shop, ingressFor('foreign', { className: `${className}-f`, host: 'foreign.roles.test' }))
    await apply(blog, legacy('blog', 'blog.roles.test'))
    await live('shop.roles.test', 200)
    await live('blog.roles.test', 200)
    expect(await status('closed.roles.test')).toBe(404)
    expect(await status('foreign.roles.test')).toBe(404)
  })

  test('plugins guard, certificates are served, and the leader tells', async () => {
    const attributes = [{ name: 'commonName', value: 'tls.roles.test' }]
    const { cert, private: key } = await generate(attributes, { keyType: 'ec' })
    const bearer = { issuer: 'https://issuer.invalid', authMethods: ['bearer'], audience: ['shop'] }
    await apply(
      shop,
      tlsSecret('tls', cert, key),
      oidcPlugin('guard', bearer),
      ingressFor('guarded', { className, host: 'guarded.roles.test', plugins: 'guard' }),
      ingressFor('tls', { className, host: 'tls.roles.test', tls: 'tls' }),
      ingressFor('missing', { className, host: 'missing.roles.test', plugins: 'nowhere' }),
    )
    await live('guarded.roles.test', 401)
    await live('missing.roles.test', 503)
    await live('tls.roles.test', 308)
    await kubectl(['-n', shop, 'wait', '--for=condition=Programmed', 'oidcplugin/guard', '--timeout=45s'])
    const jsonpath = '-o=jsonpath={.status.loadBalancer.ingress[*].ip}'
    await expect
      .poll(() => kubectl(['-n', shop, 'get', 'ingress', 'guarded', jsonpath]), LIVE)
      .toBe('192.0.2.1')
    const events = () =>
      kubectl(['-n', shop, 'get', 'events.events.k8s.io', '-o=jsonpath={.items[*].reason}'])
    await expect.poll(events, LIVE).toContain('PluginNotFound')
    expect((await ostiary.probe('/metrics')).body).toContain(
      `ostiary_tls_cert_not_after_timestamp_seconds{namespace="${shop}",name="tls"}`,
    )
    expect(await kubectl(['-n', own, 'get', 'lease', '-o=name'])).toBe(
      `lease.coordination.k8s.io/ostiary-leader.${className}\n`,
    )
  })

  test('nothing was ever refused, up to the end', async () => {
    expect(await ostiary.stop()).toBe(0)
    expect(ostiary.log).not.toMatch(FORBIDDEN)
  })

  test('without the flag it says which way out there is, in the log and to whoever asks whether it is ready', async () => {
    const other = start(`${shop},${blog}`)
    await other.ports()
    const reason = /ingressclasses.*403 Forbidden.*in a ClusterRole, or run with .*--without-cluster-rights/
    await expect.poll(async () => (await other.probe('/readyz')).body, LIVE).toMatch(reason)
    expect((await other.probe('/readyz')).status).toBe(503)
    expect(other.log).toMatch(reason)
  })

  test('a namespace in which no Role is bound is told, and is not waited for in silence', async () => {
    const other = start(`${shop},${closed}`, '--without-cluster-rights')
    await other.ports()
    const body = async () => (await other.probe('/readyz')).body
    await expect
      .poll(body, LIVE)
      .toMatch(new RegExp(`grant list and watch of ingresses.networking.k8s.io in ${closed}`))
    expect(await body()).not.toContain(` in ${shop}`)
    const counted = new RegExp(`ostiary_reflector_failures_total\\{resource="services in ${closed}"\\} [1-9]`)
    expect((await other.probe('/metrics')).body).toMatch(counted)
    // The Role comes later, as a namespace's owner may bind it.
    await apply(closed, ...boundRole('watched', { namespace: own, name: 'ostiary' }, WATCHED_RULES))
    await other.ready()
  })

  test('the flag without namespaces ends the start with the reason', async () => {
    const other = new OstiaryProcess(['--without-cluster-rights'])
    expect(await other.exited()).not.toBe(0)
    expect(other.log).toMatch(/--without-cluster-rights: needs --watch-namespace/)
  })
})
