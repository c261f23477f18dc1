import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { ClientLimits } from '../../../src/proxy/client-limits.ts'
import type { ProxyServer } from '../../../src/proxy/proxy-server.ts'
import { ManualTimers } from '../../support/manual-timers.ts'
import { everythingOn, upstream } from '../support.ts'
import { answerOf, ask, httpsProxy, open, request } from './support.ts'

/** A proxy with some limits, whose upstream answers when it is told to, or at once. */
async function limited(limits: Partial<ClientLimits>, isHeld = false) {
  const held: ServerResponse[] = []
  const { port } = await upstream((_, response) => {
    if (isHeld) held.push(response)
    else response.end()
  })
  const { https, server } = await httpsProxy(everythingOn(port), { limits })
  return { session: await open(https), server, held }
}

function inFlight(server: ProxyServer): number | undefined {
  const found = server.metrics().find(({ name }) => name === 'ostiary_http_requests_in_flight')
  return found?.values[0]?.value
}

test.each([
  ['a target of its limit', 200, { maxUrlBytes: 20 }, { ':path': `/${'u'.repeat(19)}` }],
  ['a target above its limit', 414, { maxUrlBytes: 20 }, { ':path': `/${'u'.repeat(20)}` }],
  ['a field too many', 431, { maxHeaderCount: 2 }, { a: 'b', c: 'd' }],
  ['fields above their bytes', 431, { maxHeaderBytes: 9000 }, { a: 'b'.repeat(9000) }],
])('%s: %i, and the connection serves on', async (_, status, limits, fields) => {
  const { session } = await limited(limits)
  expect((await ask(session, fields)).status).toBe(status)
})

test('requests of one connection count one by one, and none for ever', async () => {
  const { held, server, session } = await limited({ maxRequests: 2 }, true)
  const streams = [request(session), request(session)]
  await expect.poll(() => held.length).toBe(2)
  expect(inFlight(server)).toBe(2)
  const refused = await ask(session)
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])

  held[0]!.end()
  await Promise.race(streams.map((stream) => answerOf(stream)))
  await expect.poll(() => inFlight(server)).toBe(1)
  // The other client takes its request back.
  for (const stream of streams) stream.close()
  await expect.poll(() => inFlight(server)).toBe(0)

  request(session)
  await expect.poll(() => held.length).toBe(3)
  session.destroy()
  await expect.poll(() => inFlight(server)).toBe(0)
})

test('a body that does not come is answered 408', async () => {
  const { session, server } = await limited({ bodyTimeoutMs: 40 }, true)
  const stream = request(session, { ':method': 'POST', 'content-length': '10' }, false)
  stream.write('half')
  expect((await answerOf(stream).catch((error: unknown) => ({ status: String(error) }))).status).toBe(408)
  await expect.poll(() => inFlight(server)).toBe(0)
})

test('an answer that the client keeps from being sent is given up', async () => {
  const timers = new ManualTimers()
  const { port } = await upstream((_, response) => response.end('answer'))
  const { https, server } = await httpsProxy(everythingOn(port), {}, timers)
  const session = await open(https)
  session.settings({ initialWindowSize: 0 })
  await once(session, 'localSettings')
  const streams = [request(session), request(session, { ':authority': 'unknown.example' })]
  await Promise.all(streams.map((stream) => once(stream, 'response')))
  await expect.poll(() => timers.pending).toBe(2)
  expect(inFlight(server)).toBe(2)
  timers.advance(61_000)
  await expect.poll(() => inFlight(server)).toBe(0)
})
