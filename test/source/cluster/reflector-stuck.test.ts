import { expect, onTestFinished, test } from 'vitest'
import { ApiServer } from '../../../src/source/cluster/api-server.ts'
import { createClusterSource } from '../../../src/source/cluster/cluster-source.ts'
import { watchedResources } from '../../../src/source/cluster/watched-resource.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { ManualTimers } from '../../support/manual-timers.ts'
import { ScriptedApiServer } from '../../support/scripted-api-server.ts'
import { eventually, HurriedTimers, service, SERVICES, silent, startReflector } from './setup.ts'

const PATH = SERVICES.path
const PATHS = [...new Set(watchedResources([]).map(({ path }) => path))]

test('a reflector whose credentials hang is stuck, and is named', async () => {
  const clock = new ManualClock()
  const asked = Promise.withResolvers<void>()
  // An exec plugin that never ends hangs before there is any time-out.
  const api = {
    json: () => {
      asked.resolve()
      return new Promise<never>(() => {})
    },
  } as unknown as ApiServer
  const source = createClusterSource({ api, logger: silent, clock, watchNamespaces: ['shop'] })
  const controller = new AbortController()
  onTestFinished(() => controller.abort())
  await source.start(() => {}, controller.signal)
  await asked.promise
  clock.advance(299_999)
  expect(source.stuck()).toEqual([])
  clock.advance(1)
  expect(source.stuck()).toContain('the reflector of services in shop has done nothing for 300 s')
})

test('an API server that is away, however long, makes no reflector stuck: every attempt is a step', async () => {
  const server = await ScriptedApiServer.start(PATH)
  const kubeConfig = server.kubeConfig()
  await server[Symbol.asyncDispose]()
  const timers = new ManualTimers()
  const api = new ApiServer(() => kubeConfig)
  const { reflector } = startReflector(server, { api, clock: timers, timers })
  onTestFinished(() => api.close())
  let longestMs = 0
  for (let attempt = 1; attempt <= 12; attempt += 1) {
    await eventually(() => expect([reflector.counts.failures, timers.pending]).toEqual([attempt, 1]))
    timers.advance(timers.nextInMs ?? 0)
    longestMs = Math.max(longestMs, reflector.idleMs)
  }
  expect(timers.monotonic()).toBeGreaterThan(120_000)
  expect(longestMs).toBeLessThanOrEqual(30_000)
})

test('bookmarks and events are steps', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const clock = new ManualClock()
  const { reflector } = startReflector(server, { clock })
  await eventually(() => expect(server.watches).toHaveLength(1))
  clock.advance(140_000)
  expect(reflector.idleMs).toBe(140_000)
  server.watches[0]?.event('BOOKMARK', { metadata: { resourceVersion: '150' } })
  await eventually(() => expect(reflector.idleMs).toBe(0))
  clock.advance(140_000)
  server.put(PATH, service('a'))
  await eventually(() => expect(reflector.idleMs).toBe(0))
})

test.each([
  ['before it begins', () => {}],
  [
    'half-way',
    (response: { writeHead(status: number): { write(text: string): unknown } }) =>
      void response.writeHead(200).write('{"items":['),
  ],
])('a list that stalls %s is given up and asked for again', async (_, stall) => {
  await using server = await ScriptedApiServer.start(PATH)
  server.put(PATH, service('a'))
  server.once('list', PATH, (_request, response) => stall(response))
  const api = new ApiServer(() => server.kubeConfig(), 50)
  onTestFinished(() => api.close())
  const { reflector } = startReflector(server, { api })
  await eventually(() => expect(reflector.synced).toBe(true))
  expect([...reflector.objects()]).toHaveLength(1)
  expect(server.requestsFor('list', PATH)).toHaveLength(2)
})

test('all reflectors share one pool: the list of each leaves its connection to a watch', async () => {
  await using server = await ScriptedApiServer.start(...PATHS)
  const api = new ApiServer(() => server.kubeConfig())
  const source = createClusterSource({ api, logger: silent, timers: new HurriedTimers() })
  const controller = new AbortController()
  onTestFinished(async () => {
    controller.abort()
    await source.stopped()
    await api.close()
  })
  await source.start(() => {}, controller.signal)
  const { length } = watchedResources([])
  await eventually(() => expect(server.watches).toHaveLength(length))
  // A watch needs a connection for itself; that of a list may not be free yet when its watch begins.
  expect(server.connections).toBeLessThanOrEqual(2 * length)
  for (let n = 0; n < 50; n += 1) await api.json({ path: PATH, signal: controller.signal })
  expect(server.connections).toBeLessThanOrEqual(2 * length + 1)
})
