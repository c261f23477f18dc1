import { expect, test } from 'vitest'
import { answerStatus, ScriptedApiServer } from '../../support/scripted-api-server.ts'
import { eventually, known, service, SERVICES, startReflector } from './setup.ts'

const PATH = SERVICES.path

test('a watch that is answered 429 waits as told and goes on where it was, without a list', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.once('watch', PATH, (_, response) =>
    answerStatus(response, 429, 'TooManyRequests', { 'retry-after': '7' }),
  )
  const { reflector, timers } = startReflector(server)
  await eventually(() => expect(server.watches).toHaveLength(1))
  expect(timers.asked).toEqual([7000])
  expect(server.requestsFor('list', PATH)).toHaveLength(1)
  server.put(PATH, service('a'))
  await eventually(() => expect(known(reflector)).toEqual(['a=a.example.com']))
})

test('429 as an event is obeyed as an answer is', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const { timers } = startReflector(server)
  await eventually(() => expect(server.watches).toHaveLength(1))
  const status = { kind: 'Status', code: 429, reason: 'TooManyRequests', details: { retryAfterSeconds: 9 } }
  server.watches[0]?.event('ERROR', status)
  await eventually(() => expect(timers.asked).toEqual([9000]))
  await eventually(() => expect(server.requestsFor('watch', PATH)).toHaveLength(2))
  expect(server.requestsFor('list', PATH)).toHaveLength(1)
})

test.each([
  [0, 125, '240'],
  [0.5, 187.5, '360'],
  [1, 250, '480'],
])('delays and time limits are spread: for %d the first delay is %d ms', async (share, delayMs, limit) => {
  await using server = await ScriptedApiServer.start(PATH)
  server.once('list', PATH, (_, response) => answerStatus(response, 500, 'InternalError'))
  const { timers } = startReflector(server, { random: () => share })
  await eventually(() => expect(server.watches).toHaveLength(1))
  expect(timers.asked).toEqual([delayMs])
  expect(server.watches[0]?.query['timeoutSeconds']).toBe(limit)
})

test('no wait is longer than half a minute by itself', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  for (let n = 0; n < 10; n += 1) {
    server.once('list', PATH, (_, response) => answerStatus(response, 500, 'InternalError'))
  }
  const { timers } = startReflector(server)
  await eventually(() => expect(timers.asked).toHaveLength(10))
  expect(timers.asked.slice(-3)).toEqual([30_000, 30_000, 30_000])
})
