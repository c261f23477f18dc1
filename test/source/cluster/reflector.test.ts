import { pino } from 'pino'
import { expect, test } from 'vitest'
import { ManualClock } from '../../support/manual-clock.ts'
import { answerJson, answerStatus, ScriptedApiServer } from '../../support/scripted-api-server.ts'
import { eventually, known, PLUGINS, service, SERVICES, startReflector } from './setup.ts'

const PATH = SERVICES.path

async function watching(server: ScriptedApiServer): Promise<void> {
  await eventually(() => expect(server.watches).toHaveLength(1))
}

test('what is there is listed, and what is added, modified and deleted is followed', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.put(PATH, service('a'))
  const { reflector, onChange } = startReflector(server)
  await watching(server)
  expect(reflector.synced).toBe(true)
  expect(onChange).toHaveBeenCalledTimes(1)
  expect(known(reflector)).toEqual(['a=a.example.com'])

  server.put(PATH, service('b', 'b'))
  await eventually(() => expect(known(reflector)).toEqual(['a=a.example.com', 'b=b']))
  server.put(PATH, service('a', 'changed'))
  await eventually(() => expect(known(reflector)).toEqual(['a=changed', 'b=b']))
  server.delete(PATH, service('a'))
  await eventually(() => expect(known(reflector)).toEqual(['b=b']))
  expect(onChange).toHaveBeenCalledTimes(4)
})

test('an empty collection is synced too, and that is told', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.once('list', PATH, (_, response) =>
    answerJson(response, 200, { items: null, metadata: { resourceVersion: '7' } }),
  )
  const { reflector, onChange } = startReflector(server)
  await watching(server)
  expect(reflector.synced).toBe(true)
  expect(onChange).toHaveBeenCalledTimes(1)
  expect(server.watches[0]?.query['resourceVersion']).toBe('7')
})

test('a watch asks for bookmarks, a time limit and the version after the list, and goes on from the last bookmark', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.put(PATH, service('a'))
  startReflector(server)
  await watching(server)
  expect(server.watches[0]?.query).toEqual({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '101',
    timeoutSeconds: '480',
  })
  server.watches[0]?.event('BOOKMARK', { metadata: { resourceVersion: '150' } })
  server.watches[0]?.end()
  await eventually(() => expect(server.watches[0]?.query['resourceVersion']).toBe('150'))
  expect(server.requestsFor('list', PATH)).toHaveLength(1)
})

test('a collection larger than a page is read page by page', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  for (let n = 0; n < 1100; n += 1) server.put(PATH, service(`s${n}`))
  const { reflector } = startReflector(server)
  await watching(server)
  expect([...reflector.objects()]).toHaveLength(1100)
  expect(server.requestsFor('list', PATH).map(({ query }) => query)).toEqual([
    { limit: '500' },
    { limit: '500', continue: '500' },
    { limit: '500', continue: '1000' },
  ])
})

test('a continuation that expires is answered by one list in one piece', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  for (let n = 0; n < 600; n += 1) server.put(PATH, service(`s${n}`))
  server.once('list', PATH, (_, response) =>
    answerJson(response, 200, { items: [], metadata: { resourceVersion: '1', continue: 'x' } }),
  )
  server.once('list', PATH, (_, response) => answerStatus(response, 410, 'Expired'))
  const { reflector } = startReflector(server)
  await watching(server)
  expect([...reflector.objects()]).toHaveLength(600)
  expect(server.requestsFor('list', PATH).at(-1)?.query).toEqual({})
})

test('a reset connection is watched again from where it was, and nothing that happened meanwhile is missed', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const { reflector } = startReflector(server)
  for (let round = 1; round <= 5; round += 1) {
    await watching(server)
    server.watches[0]?.reset()
    server.put(PATH, service('a', `v${round}`))
    await eventually(() => expect(known(reflector)).toEqual([`a=v${round}`]))
    expect(server.requestsFor('watch', PATH)).toHaveLength(round + 1)
  }
  expect(server.requestsFor('list', PATH)).toHaveLength(1)
})

test.each([
  [
    'as an event',
    (server: ScriptedApiServer) => server.watches[0]?.event('ERROR', { kind: 'Status', code: 410 }),
  ],
  [
    'as an answer',
    (server: ScriptedApiServer) => {
      server.once('watch', PATH, (_, response) => answerStatus(response, 410, 'Gone'))
      server.watches[0]?.end()
    },
  ],
])('410 %s leads to a new list, whose differences count: what vanished meanwhile goes', async (_, expire) => {
  await using server = await ScriptedApiServer.start(PATH)
  server.put(PATH, service('gone'))
  server.put(PATH, service('stays'))
  const { reflector, onChange } = startReflector(server)
  await watching(server)
  const [stays] = [...reflector.objects()].filter(({ metadata }) => metadata.name === 'stays')
  server.deleteSilently(PATH, service('gone'))
  expire(server)
  await eventually(() => expect(known(reflector)).toEqual(['stays=a.example.com']))
  expect([...reflector.objects()][0]).toBe(stays)
  expect(onChange).toHaveBeenCalledTimes(2)
  expect(reflector.problem).toBeUndefined()
})

test('a new list that differs in nothing is no change', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.put(PATH, service('a'))
  const { onChange } = startReflector(server)
  await watching(server)
  server.watches[0]?.event('ERROR', { code: 410 })
  await eventually(() => expect(server.requestsFor('watch', PATH)).toHaveLength(2))
  expect(onChange).toHaveBeenCalledTimes(1)
})

test('half a line is survived: the event comes again with the next watch', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const { reflector } = startReflector(server)
  await watching(server)
  server.watches[0]?.raw('{"type":"ADDED","object":{"metadata":{"na')
  server.watches[0]?.end()
  await eventually(() => expect(server.requestsFor('watch', PATH)).toHaveLength(2))
  await watching(server)
  server.put(PATH, service('a'))
  await eventually(() => expect(known(reflector)).toEqual(['a=a.example.com']))
  expect(reflector.counts.malformedEvents).toBe(1)
})

test.each([
  'no JSON\n',
  '[]\n',
  '{"type":"ADDED"}\n',
  '{"type":"NEW","object":{}}\n',
  '{"type":"ADDED","object":{}}\n',
])(
  'the line %j is counted, and the watch begins anew at the last good version instead of losing an event',
  async (line) => {
    await using server = await ScriptedApiServer.start(PATH)
    const { reflector } = startReflector(server)
    await watching(server)
    server.put(PATH, service('a'))
    server.watches[0]?.raw(line)
    await eventually(() => expect(server.requestsFor('watch', PATH)).toHaveLength(2))
    expect(server.requestsFor('watch', PATH)[1]?.query['resourceVersion']).toBe('101')
    expect(known(reflector)).toEqual(['a=a.example.com'])
    expect(reflector.counts.malformedEvents).toBe(1)
    expect(JSON.stringify(reflector.problem ?? '')).not.toContain(line.trim())
  },
)

test('where every watch from a version fails, everything is listed anew', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  for (let n = 0; n < 4; n += 1) {
    server.once('watch', PATH, (_, response) => void response.writeHead(200).end('no JSON\n'))
  }
  const { reflector } = startReflector(server)
  await watching(server)
  expect(server.requestsFor('list', PATH)).toHaveLength(2)
  expect(reflector.counts.malformedEvents).toBe(4)
})

test('events that come late change nothing: no rollback, no resurrection', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const { reflector } = startReflector(server)
  await watching(server)
  const stamped = (name: string, version: number, value: string): unknown => {
    const object = service(name, value)
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
  }
  const [watch] = server.watches
  watch?.event('ADDED', stamped('a', 999, 'v1'))
  watch?.event('MODIFIED', stamped('a', 1001, 'v3'))
  watch?.event('MODIFIED', stamped('a', 1000, 'v2'))
  watch?.event('ADDED', stamped('gone', 1002, 'v1'))
  watch?.event('DELETED', stamped('gone', 1004, 'v1'))
  watch?.event('MODIFIED', stamped('gone', 1003, 'v2'))
  watch?.event('ADDED', stamped('late', 998, 'other'))
  watch?.event('DELETED', stamped('a', 1000, 'v2'))
  await eventually(() => expect(known(reflector)).toEqual(['a=v3', 'late=other']))
  await eventually(() => expect(reflector.counts.staleEvents).toBe(3))
  watch?.end()
  await eventually(() => expect(server.watches[0]?.query['resourceVersion']).toBe('1004'))
})

test('a watch that falls silent is taken for dead', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const { reflector } = startReflector(server, { silenceMs: 30 })
  await eventually(() => expect(server.requestsFor('watch', PATH).length).toBeGreaterThan(1))
  expect(reflector.synced).toBe(true)
})

test('Retry-After is obeyed, up to a minute', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const retryAfter = (seconds: string) => ({ 'retry-after': seconds })
  server.once('list', PATH, (_, response) => answerStatus(response, 429, 'TooManyRequests', retryAfter('7')))
  server.once('list', PATH, (_, response) =>
    answerStatus(response, 503, 'ServiceUnavailable', retryAfter('9999')),
  )
  const { reflector, timers } = startReflector(server)
  await eventually(() => expect(timers.asked).toEqual([7000, 60_000]))
  expect(reflector.synced).toBe(false)
})

test('delays grow up to half a minute and start small again after progress', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  for (let n = 0; n < 5; n += 1)
    server.once('list', PATH, (_, response) => answerStatus(response, 500, 'InternalError'))
  const { reflector, timers } = startReflector(server)
  await watching(server)
  expect(timers.asked).toEqual([250, 500, 1000, 2000, 4000])
  await eventually(() => expect(reflector.problem).toBeUndefined())
  server.put(PATH, service('a'))
  await eventually(() => expect(known(reflector)).toHaveLength(1))
  server.watches[0]?.reset()
  await eventually(() => expect(timers.asked.at(-1)).toBe(250))
})

test('a server that ends every watch at once is not asked in a tight loop', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  for (let n = 0; n < 3; n += 1)
    server.once('watch', PATH, (_, response) => void response.writeHead(200).end())
  const { timers } = startReflector(server)
  await watching(server)
  expect(timers.asked).toEqual([250, 500, 1000])
})

test('a custom resource that is not installed is told with the remedy, and followed soon after it is there', async () => {
  await using server = await ScriptedApiServer.start()
  const { reflector, timers } = startReflector(server, { resource: PLUGINS })
  await eventually(() => expect(reflector.problem).toMatch(/not installed.*kubectl apply -f crds/))
  await eventually(() => expect(timers.asked.length).toBeGreaterThan(7))
  expect(reflector.synced).toBe(false)
  expect(Math.max(...timers.asked)).toBe(5000)
  server.install(PLUGINS.path)
  await watching(server)
  expect(reflector.synced).toBe(true)
  await eventually(() => expect(reflector.problem).toBeUndefined())
})

test('a missing permission is told with the verbs to grant, once, and so is its end', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  for (let n = 0; n < 3; n += 1) {
    server.once('list', PATH, (_, response) => answerStatus(response, 403, 'Forbidden'))
  }
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  startReflector(server, { logger })
  await eventually(() => expect(logged).toHaveLength(2))
  expect(logged[0]).toMatch(/"resource":"services".*403 Forbidden.*grant list and watch of services/)
  expect(logged[1]).toMatch(/watching again/)
})

test('a permission that stays missing is told again every ten minutes, by a log that is read late', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  for (let n = 0; n < 60; n += 1) {
    server.once('list', PATH, (_, response) => answerStatus(response, 403, 'Forbidden'))
  }
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const clock = new ManualClock()
  const { stop } = startReflector(server, { logger, clock })
  const isAskedAgain = (): Promise<void> => {
    const before = server.requestsFor('list', PATH).length
    return eventually(() => expect(server.requestsFor('list', PATH).length).toBeGreaterThan(before + 1))
  }
  await isAskedAgain()
  expect(logged).toHaveLength(1)
  clock.advance(599_000)
  await isAskedAgain()
  expect(logged).toHaveLength(1)
  clock.advance(1000)
  await eventually(() => expect(logged).toHaveLength(2))
  await stop()
})

test('how fresh a collection is can be seen', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.put(PATH, service('a'))
  const clock = new ManualClock()
  const { reflector } = startReflector(server, { clock })
  const { reflection: before } = reflector
  expect(before).toMatchObject({ resource: 'services', kind: 'Service', synced: false, objects: 0 })
  expect(before).not.toHaveProperty('listedMs')
  const startedMs = clock.now()
  await watching(server)
  expect(reflector.reflection).toMatchObject({ synced: true, objects: 1, listedMs: startedMs })
  expect(reflector.reflection).not.toHaveProperty('heardMs')
  clock.advance(5000)
  server.watches[0]?.event('BOOKMARK', { metadata: { resourceVersion: '9999' } })
  await eventually(() =>
    expect(reflector.reflection).toMatchObject({ listedMs: startedMs, heardMs: startedMs + 5000 }),
  )
})

test('an object that is refused keeps its last good form and is reported', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.put(PATH, service('a', 'good'))
  const { reflector } = startReflector(server)
  await watching(server)
  server.put(PATH, { ...service('a'), spec: { ports: 'none' } })
  server.put(PATH, { ...service('b'), spec: { ports: 'none' } })
  await eventually(() => expect([...reflector.broken()]).toHaveLength(2))
  expect(known(reflector)).toEqual(['a=good'])
  expect([...reflector.broken()][0]?.reference).toEqual({ kind: 'Service', namespace: 'shop', name: 'a' })
  server.watches[0]?.event('ERROR', { code: 410 })
  await eventually(() => expect(server.requestsFor('list', PATH)).toHaveLength(2))
  expect(known(reflector)).toEqual(['a=good'])
  server.put(PATH, service('a', 'mended'))
  await eventually(() => expect(known(reflector)).toEqual(['a=mended']))
  expect([...reflector.broken()]).toHaveLength(1)
})

test('a server that is not there is waited for, and what was known stays', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.put(PATH, service('a'))
  const { reflector } = startReflector(server)
  await watching(server)
  await server[Symbol.asyncDispose]()
  await eventually(() => expect(reflector.problem).toMatch(/ECONNREFUSED/))
  expect(known(reflector)).toEqual(['a=a.example.com'])
  expect(reflector.synced).toBe(true)
})

test('stopping ends a watch, a list under way and a wait, without a word', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const watched = startReflector(server)
  await watching(server)
  await watched.stop()
  await eventually(() => expect(server.watches).toHaveLength(0))
  expect(watched.reflector.problem).toBeUndefined()

  server.once('list', PATH, () => {})
  const listing = startReflector(server)
  await eventually(() => expect(server.requestsFor('list', PATH)).toHaveLength(2))
  await listing.stop()
  expect(listing.reflector.problem).toBeUndefined()

  server.once('list', PATH, (_, response) =>
    answerStatus(response, 500, 'InternalError', { 'retry-after': '3600' }),
  )
  const waiting = startReflector(server)
  await eventually(() => expect(waiting.timers.asked).toHaveLength(1))
  await waiting.stop()
  expect(server.requests.length).toBe(
    server.requestsFor('list', PATH).length + server.requestsFor('watch', PATH).length,
  )
})
