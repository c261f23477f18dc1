import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { RawClient } from '../../support/raw-http.ts'
import type { Authorizer } from '../../../src/auth/authorize.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../../support/snapshot.ts'
import { ALLOW, bodyOf, everythingOn, noAuthorizer, tcpUpstream, upstream } from '../support.ts'
import { answerOf, ask, httpsProxy, open, request } from './support.ts'

describe('a connection with TLS', () => {
  test('speaks HTTP/2 where the client offers it, and HTTP/1.1 where it does not', async () => {
    const { port } = await upstream((_, response) => response.end('served'))
    const { https } = await httpsProxy(everythingOn(port))
    const protocols: (string | false | null)[] = []
    for (const ALPNProtocols of [['http/1.1', 'h2'], ['http/1.1'], undefined]) {
      const socket = connectTls({
        port: https,
        rejectUnauthorized: false,
        ...(ALPNProtocols && { ALPNProtocols }),
      })
      await once(socket, 'secureConnect')
      protocols.push(socket.alpnProtocol)
      socket.destroy()
    }
    expect(protocols).toEqual(['h2', 'http/1.1', false])
    expect(await ask(await open(https))).toMatchObject({ status: 200, body: 'served' })
    const client = await RawClient.openTls({ port: https, ALPNProtocols: ['http/1.1'] })
    client.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')
    expect(await client.response()).toMatchObject({ status: 200, body: 'served' })
    client.close()
  })

  test('speaks HTTP/1.1 alone where HTTP/2 is turned off', async () => {
    const { port } = await upstream((_, response) => response.end())
    const tls = { minVersion: 'TLSv1.2', http2: false } as const
    const { https } = await httpsProxy(everythingOn(port), { tls })
    const socket = connectTls({ port: https, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] })
    await once(socket, 'secureConnect')
    expect(socket.alpnProtocol).toBe('http/1.1')
    socket.destroy()
  })
})

test('a request reaches its upstream as one of HTTP/1.1', async () => {
  let seen: IncomingMessage | undefined
  const { port } = await upstream((message, response) => {
    seen = message
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.setHeader('X-Upper', 'yes')
    response.end('hello')
  })
  const { https } = await httpsProxy(everythingOn(port))
  const session = await open(https)
  const fields = [':method', 'GET', ':scheme', 'https', ':authority', 'Example.com', ':path', '/a?b=c']
  const answer = await ask(session, [...fields, 'x-twice', '1', 'x-twice', '2', 'te', 'trailers'])
  expect(answer).toMatchObject({ status: 200, body: 'hello' })
  expect(answer.headers).toMatchObject({
    'set-cookie': ['a=1', 'b=2'],
    'x-upper': 'yes',
    'content-length': '5',
  })
  expect(answer.headers).not.toHaveProperty('connection')
  expect(seen).toMatchObject({ method: 'GET', url: '/a?b=c' })
  expect(seen?.headers).toMatchObject({
    host: 'Example.com',
    'x-twice': '1, 2',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'example.com',
    'x-forwarded-proto': 'https',
    'x-forwarded-port': '443',
  })
  expect(seen?.rawHeaders.filter((name) => name.startsWith(':'))).toEqual([])
  expect(seen?.headers).not.toHaveProperty('transfer-encoding')
})

test('crumbs of cookies are one Cookie field', async () => {
  const { port } = await upstream((message, response) => response.end(JSON.stringify(message.headers.cookie)))
  const { https } = await httpsProxy(everythingOn(port))
  const fields = [':method', 'GET', ':scheme', 'https', ':authority', 'example.com', ':path', '/']
  const answer = await ask(await open(https), [
    ...fields,
    'cookie',
    'a=1',
    'x-y',
    'z',
    'cookie',
    'b=2',
    'cookie',
    'c=3',
  ])
  expect(answer.body).toBe('"a=1; b=2; c=3"')
})

test('HEAD, 204 and 304 have no body, and keep their fields', async () => {
  const { port } = await upstream((message, response) => {
    const status = Number(message.url?.slice(1))
    response.writeHead(status, { etag: '"1"', ...(status !== 204 && { 'content-length': 5 }) })
    response.end(message.method === 'HEAD' || status !== 200 ? undefined : 'hello')
  })
  const { https } = await httpsProxy(everythingOn(port))
  const session = await open(https)
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
    ['HEAD', 304],
  ] as const) {
    const answer = await ask(session, { ':method': method, ':path': `/${status}` })
    expect(answer).toMatchObject({ status, body: '', headers: { etag: '"1"' } })
    expect(answer.headers['content-length']).toBe(status === 204 ? undefined : '5')
  }
  expect((await ask(session, { ':path': '/200' })).body).toBe('hello')
})

test('a refusal of ours answers HEAD too', async () => {
  const { https } = await httpsProxy(everythingOn())
  const session = await open(https)
  expect(await ask(session, { ':authority': 'other.example' })).toMatchObject({ status: 404 })
  expect(await ask(session, { ':authority': 'other.example', ':method': 'HEAD' })).toMatchObject({
    status: 404,
    body: '',
  })
  expect(await ask(session, { ':method': 'HEAD' })).toMatchObject({ status: 503, body: '' })
})

test('interim responses and trailers are passed on', async () => {
  const { port } = await tcpUpstream((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.css>\r\n\r\n')
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n')
      socket.write('5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n')
    })
  })
  const { https } = await httpsProxy(everythingOn(port))
  const stream = request(await open(https))
  const hints = once(stream, 'headers')
  const answer = await answerOf(stream)
  expect((await hints)[0]).toMatchObject({ ':status': 103, link: '</a.css>; rel=preload, </b.css>' })
  expect(answer).toMatchObject({ status: 200, body: 'hello', trailers: { 'x-sum': '1, 2' } })
  expect(answer.headers).not.toHaveProperty('trailer')
})

test('a body goes upstream as it comes, with its length where that is known', async () => {
  const { port } = await upstream(async (message, response) => {
    const body = await bodyOf(message)
    response.end(
      JSON.stringify([message.headers['content-length'] ?? message.headers['transfer-encoding'], body]),
    )
  })
  const { https } = await httpsProxy(everythingOn(port))
  const session = await open(https)
  const post = { ':method': 'POST' }
  expect((await ask(session, post, 'abc')).body).toBe('["chunked","abc"]')
  expect((await ask(session, { ...post, 'content-length': 3 }, 'abc')).body).toBe('["3","abc"]')
  expect((await ask(session, { ...post, 'content-length': 0 }, '')).body).toBe('["0",""]')
  expect((await ask(session, post, '')).body).toBe('["0",""]')
})

test('a body is asked for when somebody reads it', async () => {
  const { port } = await upstream(async (message, response) => response.end(await bodyOf(message)))
  const { https } = await httpsProxy(everythingOn(port))
  const session = await open(https)
  const stream = request(session, { ':method': 'POST', expect: '100-continue' }, false)
  await once(stream, 'continue')
  stream.end('abc')
  expect((await answerOf(stream)).body).toBe('abc')
  const refused = request(
    session,
    { ':method': 'POST', ':authority': 'other.example', expect: '100-continue' },
    false,
  )
  refused.once('continue', () => expect.unreachable())
  expect((await answerOf(refused)).status).toBe(404)
  expect((await ask(session, { expect: 'more' })).status).toBe(417)
})

test('what an upstream repeats is repeated, and what HTTP/2 cannot carry is left out', async () => {
  const { port } = await tcpUpstream((socket) => {
    const fields =
      'ETag: 1\r\nETag: 2\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Latin: \xe9\r\n'
    socket.once('data', () =>
      socket.write(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`, 'latin1'),
    )
  })
  const { https } = await httpsProxy(everythingOn(port))
  const answer = await ask(await open(https))
  expect(answer).toMatchObject({ status: 200, body: 'ok', headers: { 'x-latin': '\xe9' } })
  for (const name of ['connection', 'keep-alive', 'x-hop']) expect(answer.headers).not.toHaveProperty(name)
})

test.each([
  ['short', 100, true],
  ['long', 100_000, false],
])('a %s form that authorization has looked at reaches the upstream whole', async (_name, length, isRead) => {
  const read: boolean[] = []
  const authorizer: Authorizer = {
    ...noAuthorizer,
    authorize: async (_snapshot, _host, _route, facts) => {
      read.push((await facts.form()) !== undefined)
      return ALLOW
    },
  }
  const { port } = await upstream(async (message, response) => response.end(await bodyOf(message)))
  const action = { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] } as const
  const table = aTable([aHost('example.com', [aRoute('web', { action })])], { web: [port] })
  const { https } = await httpsProxy(aSnapshot(table), {}, undefined, authorizer)
  const body = `a=${'b'.repeat(length)}`
  const fields = { ':method': 'POST', 'content-type': 'application/x-www-form-urlencoded' }
  expect((await ask(await open(https), fields, body)).body === body).toBe(true)
  expect(read).toEqual([isRead])
})

test('a trailer that HTTP/2 cannot carry resets the stream alone', async () => {
  const { port } = await tcpUpstream((socket) => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
    socket.once('data', () => socket.write(`${head}2\r\nok\r\n0\r\nX-Odd: a\x01b\r\n\r\n`, 'latin1'))
  })
  const { https } = await httpsProxy(everythingOn(port))
  const session = await open(https)
  await expect(ask(session)).rejects.toThrow()
  expect((await ask(session, { ':authority': 'other.example' })).status).toBe(404)
})

test.each([
  ['a status that HTTP/2 does not know', 'HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nok'],
  ['a value with a control character', 'HTTP/1.1 200 OK\r\nX-Odd: a\x01b\r\nContent-Length: 2\r\n\r\nok'],
])('%s is answered 502, and the connection goes on', async (_name, response) => {
  const { port } = await tcpUpstream((socket) => {
    socket.on('data', () => socket.write(response, 'latin1'))
  })
  const { https } = await httpsProxy(everythingOn(port))
  const session = await open(https)
  expect((await ask(session)).status).toBe(502)
  expect((await ask(session, { ':authority': 'other.example' })).status).toBe(404)
})
