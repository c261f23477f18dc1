import { once } from 'node:events'
import { constants } from 'node:http2'
import { describe, expect, test } from 'vitest'
import type { Authorizer } from '../../src/auth/authorize.ts'
import type { AuthDecision } from '../../src/auth/decision.ts'
import { systemTimers } from '../../src/clock.ts'
import type { ClientLimits } from '../../src/proxy/client-limits.ts'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import type { ProxyServerOptions } from '../../src/proxy/proxy-server.ts'
import type { Snapshot } from '../../src/table/routing-table.ts'
import { aPolicy } from '../support/a-policy.ts'
import { KeptRecords } from '../support/kept-records.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { RawClient } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { handshake, startWebSocketUpstream, WebSocketClient } from '../support/web-socket.ts'
import { ask, open, request } from './http2/support.ts'
import {
  ALLOW,
  bodyOf,
  deadPort,
  everythingOn,
  GET,
  noAuthorizer,
  proxy,
  tcpUpstream,
  upstream,
  type RunningProxy,
} from './support.ts'

const HOST = 'Host: example.com\r\n'
const POLICY = aPolicy({ id: 'default/plugin', reauthorizesUpgrades: true })

function guardedOn(...ports: number[]): Snapshot {
  const action = { kind: 'forward', upstream: 'default/web/80', policies: [POLICY.id] } as const
  const table = aTable([aHost('example.com', [aRoute('web', { action })])], { web: ports })
  return aSnapshot({ ...table, policies: { [POLICY.id]: POLICY } })
}

async function recorded(
  snapshot: Snapshot,
  authorizer: Authorizer = noAuthorizer,
  options: Partial<ProxyServerOptions> = {},
): Promise<RunningProxy & { records: KeptRecords }> {
  const records = new KeptRecords()
  return { ...(await proxy(snapshot, options, authorizer, systemTimers, records)), records }
}

async function recordedHttps(
  snapshot: Snapshot,
  limits: Partial<ClientLimits> = {},
): Promise<RunningProxy & { https: number; records: KeptRecords }> {
  const defaultCertificate = await createDefaultCertificate(new Date())
  const options = { https: { host: '127.0.0.1', port: 0 }, defaultCertificate, limits }
  const running = await recorded(snapshot, noAuthorizer, options)
  return { ...running, https: running.https ?? 0 }
}

describe('of a request is kept', () => {
  test('where it went, what came of it, and what it carried both ways', async () => {
    const { port } = await upstream(async (request, response) => {
      response.statusCode = 201
      response.end(`${await bodyOf(request)}, twice as long`)
    })
    const running = await recorded(everythingOn(port))
    const client = await RawClient.open(running.port)
    const fields = 'Host: example.com\r\nUser-Agent: probe\r\nContent-Length: 5\r\n'
    client.write(`POST /a/b?code=secret HTTP/1.1\r\n${fields}\r\nhello`)
    await client.response()
    const record = await running.records.next()
    expect(record).toMatchObject({
      method: 'POST',
      authority: 'example.com',
      path: '/a/b',
      protocol: 'HTTP/1.1',
      scheme: 'http',
      clientAddress: '127.0.0.1',
      userAgent: 'probe',
      status: 201,
      reason: '',
      decision: undefined,
      upstream: 'default/web/80',
      endpoint: `127.0.0.1:${port}`,
      upstreamStatus: 201,
      attempts: 1,
      requestBytes: 5,
      responseBytes: 20,
    })
    expect(record.route?.id).toBe('default/web#0.0')
    const { startedAt, sentAt, answeredAt, upstreamEndedAt, endedAt } = record
    const times = [startedAt, sentAt, answeredAt, upstreamEndedAt, endedAt]
    expect(times.toSorted((a, b) => a - b)).toEqual(times)
  })

  test('who let it in, as which consumer', async () => {
    const { port } = await upstream((_request, response) => response.end())
    const consumer = { id: 'uid-1', username: 'billing' }
    const allow = { ...ALLOW, identity: { ...ALLOW.identity, consumer } }
    const running = await recorded(guardedOn(port), { ...noAuthorizer, authorize: () => allow })
    const client = await RawClient.open(running.port)
    client.write(GET)
    await client.response()
    const record = await running.records.next()
    expect(record.consumer).toBe('billing')
    expect(record.decision).toEqual({ plugin: POLICY.id, flow: 'bearer', result: 'allow', reason: '' })
    expect(record.authorizedAt).toBeGreaterThanOrEqual(record.authorizingAt)
    expect(record.authorizingAt).toBeGreaterThanOrEqual(record.startedAt)
  })

  test('who refused it, and why; it has no upstream', async () => {
    const refusal: AuthDecision = {
      kind: 'refuse',
      status: 403,
      reason: 'missing_group',
      message: 'no',
      wwwAuthenticate: [],
      responseHeaders: [],
    }
    const running = await recorded(guardedOn(1), { ...noAuthorizer, authorize: () => refusal })
    const client = await RawClient.open(running.port)
    client.write(GET)
    await client.response()
    expect(await running.records.next()).toMatchObject({
      status: 403,
      reason: 'missing_group',
      decision: { plugin: POLICY.id, flow: '', result: 'refuse', reason: 'missing_group' },
      upstream: undefined,
      endpoint: undefined,
      upstreamStatus: 0,
      attempts: 0,
      sentAt: 0,
    })
  })

  test('that it was refused before a route was found, without the password of its authority', async () => {
    const running = await recorded(everythingOn(1))
    const client = await RawClient.open(running.port)
    client.write('GET http://user:password@other.example/x HTTP/1.1\r\nHost: example.com\r\n\r\n')
    await client.response()
    const record = await running.records.next()
    expect(record).toMatchObject({ status: 400, reason: 'bad_request', route: undefined, authority: '' })
    expect(JSON.stringify(record)).not.toContain('password')
  })

  test('that its upstream could not be reached, and how often that was tried', async () => {
    const [first, second] = [await deadPort(), await deadPort()]
    const running = await recorded(everythingOn(first, second))
    const client = await RawClient.open(running.port)
    client.write(GET)
    await client.response()
    const record = await running.records.next()
    expect(record).toMatchObject({ status: 502, reason: 'upstream_failed', upstreamStatus: 0 })
    expect(record.attempts).toBeGreaterThan(1)
    expect([`127.0.0.1:${first}`, `127.0.0.1:${second}`]).toContain(record.endpoint)
  })

  test('that its upstream broke off inside the answer', async () => {
    const { port } = await tcpUpstream((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'))
    })
    const running = await recorded(everythingOn(port))
    const client = await RawClient.open(running.port)
    client.write(GET)
    await client.closed()
    expect(await running.records.next()).toMatchObject({
      status: 200,
      reason: 'upstream_broke_off',
      upstreamStatus: 200,
      responseBytes: 4,
    })
  })

  test('that its client left before an answer', async () => {
    const came = Promise.withResolvers<void>()
    const { port } = await upstream(() => came.resolve())
    const running = await recorded(everythingOn(port))
    const client = await RawClient.open(running.port)
    client.write(GET)
    await came.promise
    client.close()
    expect(await running.records.next()).toMatchObject({
      status: 499,
      reason: 'client_left',
      clientAddress: '127.0.0.1',
      upstreamStatus: 0,
    })
  })

  test('over HTTP/2, the same', async () => {
    const { port } = await upstream((_request, response) => response.end('hello'))
    const { https, records } = await recordedHttps(everythingOn(port))
    await ask(await open(https), { ':path': '/a?b=c' })
    expect(await records.next()).toMatchObject({
      protocol: 'HTTP/2',
      scheme: 'https',
      path: '/a',
      status: 200,
      reason: '',
      responseBytes: 5,
    })
  })
})

describe('of what breaks off is kept, once,', () => {
  test('an upload: what came of it', async () => {
    const came = Promise.withResolvers<void>()
    const { port } = await upstream((request) => request.once('data', () => came.resolve()))
    const running = await recorded(everythingOn(port))
    const client = await RawClient.open(running.port)
    client.write(`POST /up HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhalf`)
    await came.promise
    client.close()
    expect(await running.records.next()).toMatchObject({
      status: 499,
      reason: 'client_left',
      upstreamStatus: 0,
      requestBytes: 4,
      responseBytes: 0,
    })
    expect(running.records.size).toBe(0)
  })

  test('a stream of HTTP/2 that is reset before its answer', async () => {
    const came = Promise.withResolvers<void>()
    const { port } = await upstream(() => came.resolve())
    const { https, records } = await recordedHttps(everythingOn(port))
    const stream = request(await open(https))
    await came.promise
    stream.close(constants.NGHTTP2_CANCEL)
    expect(await records.next()).toMatchObject({ status: 499, reason: 'client_left', protocol: 'HTTP/2' })
    expect(records.size).toBe(0)
  })

  test('a stream of HTTP/2 that is reset inside its answer: what was passed on', async () => {
    const { port } = await upstream((_request, response) => void response.write('half'))
    const { https, records } = await recordedHttps(everythingOn(port))
    const stream = request(await open(https))
    await once(stream, 'data')
    stream.close(constants.NGHTTP2_CANCEL)
    const record = await records.next()
    expect(record).toMatchObject({
      status: 200,
      reason: 'client_left',
      upstreamStatus: 200,
      responseBytes: 4,
    })
    expect(record.endedAt).toBeGreaterThanOrEqual(record.answeredAt)
    expect(records.size).toBe(0)
  })
})

describe('of what never becomes a request is kept', () => {
  test.each([
    ['another protocol', 400, 'malformed', '', 'SSH-2.0-marked\r\n\r\n'],
    ['a field that is none', 400, 'malformed', '', `GET /marked HTTP/1.1\r\n${HOST}X : y\r\n\r\n`],
    ['too large a head', 431, 'header_too_large', '', `GET /marked HTTP/1.1\r\nX: ${'x'.repeat(66_000)}\r\n`],
    ['CONNECT', 405, 'connect', 'CONNECT', `CONNECT marked:password@example.com:443 HTTP/1.1\r\n${HOST}\r\n`],
    [
      'an expectation',
      417,
      'unknown_expectation',
      'GET',
      `GET /?marked HTTP/1.1\r\n${HOST}Expect: x\r\n\r\n`,
    ],
  ])('%s, once, with nothing of it that is not understood', async (_name, status, reason, method, bytes) => {
    const { port, records } = await recorded(everythingOn(1))
    const client = await RawClient.open(port)
    client.write(bytes)
    await client.closed()
    const record = await records.next()
    const responseBytes = client.pending.length - client.pending.indexOf('\r\n\r\n') - 4
    expect(record).toMatchObject({ status, reason, method, clientAddress: '127.0.0.1', responseBytes })
    expect(JSON.stringify(record)).not.toContain('marked')
    expect(records.size).toBe(0)
  })

  test('a head that does not end, but no connection that asks for nothing', async () => {
    const options = { limits: { headerTimeoutMs: 50 } }
    const { port, records } = await recorded(everythingOn(1), noAuthorizer, options)
    const idle = await RawClient.open(port)
    await idle.closed()
    const slow = await RawClient.open(port)
    slow.write('GET /slow HTTP/1.1\r\n')
    await slow.closed()
    expect(await records.next()).toMatchObject({ status: 408, reason: 'header_timeout' })
    expect(records.size).toBe(0)
  })

  test('a body that breaks its framing, as the end of its request', async () => {
    const running = await recorded(everythingOn((await upstream(() => undefined)).port))
    const client = await RawClient.open(running.port)
    client.write(`POST /up HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n`)
    expect(await client.closed()).toContain('HTTP/1.1 400 ')
    expect(await running.records.next()).toMatchObject({ method: 'POST', status: 400, reason: 'malformed' })
    expect(running.records.size).toBe(0)
  })

  test.each([
    [{ ':method': 'BREW' }, 501, 'unknown_method', ''],
    [{ ':scheme': 'ftp' }, 400, 'bad_request', 'GET'],
    [{ expect: 'tea' }, 417, 'unknown_expectation', 'GET'],
    [{ a: 'x'.repeat(9000) }, 431, 'header_too_large', 'GET'],
  ])('an HTTP/2 head that is refused: %#', async (fields, status, reason, method) => {
    const { https, records } = await recordedHttps(everythingOn(1), { maxHeaderBytes: 9000 })
    await ask(await open(https), { ':path': '/a?marked', ...fields })
    const record = await records.next()
    expect(record).toMatchObject({ status, reason, method, path: '/a', protocol: 'HTTP/2', scheme: 'https' })
    expect(JSON.stringify(record)).not.toContain('marked')
    expect(records.size).toBe(0)
  })
})

describe('of a WebSocket is kept', () => {
  test('once it is closed, what it carried', async () => {
    const { port } = await startWebSocketUpstream()
    const running = await recorded(everythingOn(port))
    const raw = await RawClient.open(running.port)
    const socket = await WebSocketClient.open(raw, handshake('/chat?room=1', 'example.com'))
    expect(await socket.echo('ping')).toBe('ping')
    expect(running.records.size).toBe(0)
    raw.close()
    expect(await running.records.next()).toMatchObject({
      path: '/chat',
      status: 101,
      upstreamStatus: 101,
      reason: '',
      // A frame of four bytes; that of the client has a mask.
      requestBytes: 10,
      responseBytes: 6,
    })
  })

  test('that it was cut, and why', async () => {
    const { port } = await startWebSocketUpstream()
    let decision: AuthDecision = ALLOW
    const records = new KeptRecords()
    const timers = new ManualTimers()
    const authorizer = { ...noAuthorizer, authorize: () => decision }
    const running = await proxy(guardedOn(port), {}, authorizer, timers, records)
    const raw = await RawClient.open(running.port)
    await WebSocketClient.open(raw, handshake('/', 'example.com'))
    decision = {
      kind: 'refuse',
      status: 401,
      reason: 'expired_token',
      message: 'no',
      wwwAuthenticate: [],
      responseHeaders: [],
    }
    timers.advance(2000)
    await raw.closed()
    expect(await records.next()).toMatchObject({
      status: 101,
      reason: 'expired_token',
      decision: { plugin: POLICY.id, flow: 'bearer', result: 'close', reason: 'expired_token' },
    })
  })
})
