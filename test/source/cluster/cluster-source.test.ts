import { expect, onTestFinished, test, vi } from 'vitest'
import { ApiServer } from '../../../src/source/cluster/api-server.ts'
import { createClusterSource, type ClusterSource } from '../../../src/source/cluster/cluster-source.ts'
import { watchedResources } from '../../../src/source/cluster/watched-resource.ts'
import { answerStatus, ScriptedApiServer } from '../../support/scripted-api-server.ts'
import { eventually, HurriedTimers, service, SERVICES, silent } from './setup.ts'

const PATHS = [...new Set(watchedResources([]).map(({ path }) => path))]
const CONSUMERS = '/apis/ostiary.dev/v1alpha1/consumers'
const SECRETS = '/api/v1/secrets'

async function start(
  server: ScriptedApiServer,
  watchNamespaces: readonly string[] = [],
  hasClusterRights = true,
): Promise<{ source: ClusterSource; onChange: () => void; stop: () => Promise<void> }> {
  const api = new ApiServer(() => server.kubeConfig())
  const timers = new HurriedTimers()
  const source = createClusterSource({ api, logger: silent, watchNamespaces, hasClusterRights, timers })
  const controller = new AbortController()
  const onChange = vi.fn<() => void>()
  await source.start(onChange, controller.signal)
  const stop = async (): Promise<void> => {
    controller.abort()
    await source.stopped()
    await api.close()
  }
  onTestFinished(stop)
  return { source, onChange, stop }
}

test('every collection is read into the one list of its kind', async () => {
  await using server = await ScriptedApiServer.start(...PATHS)
  for (const { path, kind } of watchedResources([])) {
    const spec = kind === 'EndpointSlice' ? { addressType: 'IPv4' } : { spec: {} }
    server.put(path, { kind, metadata: { name: kind.toLowerCase(), namespace: 'shop' }, ...spec })
  }
  const { source } = await start(server)
  await eventually(() => expect(source.synced()).toBe(true))
  const { broken, ...lists } = source.current()
  expect(broken).toEqual([])
  expect(Object.values(lists).map((list) => list.length)).toEqual(Array(8).fill(1))
  expect(source.problems()).toEqual([])
})

test('Secrets are asked for by label and by type and in no other way, and one that comes twice counts once', async () => {
  await using server = await ScriptedApiServer.start(...PATHS)
  const secret = { kind: 'Secret', metadata: { name: 'both', namespace: 'shop' }, type: 'kubernetes.io/tls' }
  server.put(SECRETS, { ...secret, stringData: { v: 'old' } })
  const { source } = await start(server)
  await eventually(() => expect(source.synced()).toBe(true))
  const asked = server.requests.filter(({ path }) => path === SECRETS)
  const selectors = asked.map(({ query }) => query['labelSelector'] ?? query['fieldSelector'])
  expect(new Set(selectors)).toEqual(new Set(['ostiary.dev/secret=true', 'type=kubernetes.io/tls']))

  expect(source.current().secrets).toHaveLength(1)
  await eventually(() => expect(server.watches.filter(({ path }) => path === SECRETS)).toHaveLength(2))
  // One of the two watches lags behind.
  const [first] = server.watches.filter(({ path }) => path === SECRETS)
  first?.event('MODIFIED', {
    ...secret,
    metadata: { ...secret.metadata, resourceVersion: '9999' },
    stringData: { v: 'new' },
  })
  await eventually(() =>
    expect(source.current().secrets.map(({ values }) => values['v']?.reveal())).toEqual(['new']),
  )
})

test('a CRD that is not installed keeps the source from being synced, and holds up nothing else', async () => {
  await using server = await ScriptedApiServer.start(...PATHS.filter((path) => path !== CONSUMERS))
  const { source, onChange } = await start(server)
  server.put(SERVICES.path, service('a'))
  await eventually(() => expect(source.current().services).toHaveLength(1))
  await eventually(() =>
    expect(source.problems()).toEqual([
      { subject: 'consumers.ostiary.dev', message: expect.stringContaining('kubectl apply -f crds/') },
    ]),
  )
  expect(source.synced()).toBe(false)
  const calls = vi.mocked(onChange).mock.calls.length
  server.install(CONSUMERS)
  await eventually(() => expect(source.synced()).toBe(true))
  expect(vi.mocked(onChange).mock.calls.length).toBeGreaterThan(calls)
  await eventually(() => expect(source.problems()).toEqual([]))
})

test('current gives the same object until something changes', async () => {
  await using server = await ScriptedApiServer.start(...PATHS)
  const { source } = await start(server)
  await eventually(() => expect(source.synced()).toBe(true))
  const before = source.current()
  expect(source.current()).toBe(before)
  server.put(SERVICES.path, service('a'))
  await eventually(() => expect(source.current()).not.toBe(before))
  expect(before.services).toEqual([])
})

test('with namespaces given, nothing is asked for in any other', async () => {
  await using server = await ScriptedApiServer.start()
  await start(server, ['shop', 'blog'])
  const resources = watchedResources(['shop', 'blog'])
  await eventually(() => expect(new Set(server.requests.map(({ path }) => path)).size).toBe(14))
  const outside = server.requests.filter(({ path }) => !/\/namespaces\/(shop|blog)\//.test(path))
  expect(new Set(outside.map(({ path, query }) => `${path} ${query['fieldSelector'] ?? ''}`))).toEqual(
    new Set([
      '/apis/networking.k8s.io/v1/ingressclasses ',
      '/api/v1/namespaces metadata.name=shop',
      '/api/v1/namespaces metadata.name=blog',
    ]),
  )
  expect(new Set(resources.map(({ name }) => name)).size).toBe(resources.length)
})

test('without cluster rights nothing is asked for that a Role cannot permit, and it is synced all the same', async () => {
  const namespaced = watchedResources(['shop', 'blog'], false).map(({ path }) => path)
  await using server = await ScriptedApiServer.start(...new Set(namespaced))
  const { source } = await start(server, ['shop', 'blog'], false)
  await eventually(() => expect(source.synced()).toBe(true))
  const outside = server.requests.filter(({ path }) => !/\/namespaces\/(shop|blog)\//.test(path))
  expect(outside).toEqual([])
  expect(source.problems()).toEqual([])
})

test('what needs a ClusterRole and is refused names the way out, and what a Role permits does not', async () => {
  await using server = await ScriptedApiServer.start(...PATHS)
  const classes = '/apis/networking.k8s.io/v1/ingressclasses'
  for (const path of [classes, '/api/v1/namespaces/shop/services']) {
    server.once('list', path, (_, response) => answerStatus(response, 403, 'Forbidden'))
  }
  const { source } = await start(server, ['shop'])
  const told = (name: string): string =>
    source.problems().find(({ subject }) => subject === name)?.message ?? ''
  await eventually(() =>
    expect(told('ingressclasses.networking.k8s.io')).toMatch(
      /ClusterRole, or run with .*--without-cluster-rights$/,
    ),
  )
  await eventually(() => expect(told('services in shop')).toMatch(/grant list and watch of services in shop/))
  expect(told('services in shop')).not.toContain('ClusterRole')
})

test('stopping closes every connection', async () => {
  await using server = await ScriptedApiServer.start(...PATHS)
  const { source, stop } = await start(server)
  await eventually(() => expect(server.watches).toHaveLength(watchedResources([]).length))
  expect(source.reflections().map(({ counts }) => counts.watches)).toEqual(Array(9).fill(1))
  await stop()
  await eventually(() => expect(server.watches).toHaveLength(0))
})
