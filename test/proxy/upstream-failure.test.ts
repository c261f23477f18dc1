import { expect, test } from 'vitest'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { ALLOW, deadPort, everythingOn, GET, noAuthorizer, proxy, tcpUpstream, upstream } from './support.ts'

function expectProblem(
  response: { status: number; headers: Readonly<Record<string, string>>; body: string },
  status: number,
) {
  expect(response.status).toBe(status)
  expect(response.headers['content-type']).toBe('application/problem+json')
  expect(response.headers['server']).toBe('ostiary')
  expect(response.headers['content-length']).toBe(String(response.body.length))
  expect(JSON.parse(response.body)).toMatchObject({ status, message: expect.any(String) })
}

test('a refused connection is 502, and the body does not name the endpoint', async () => {
  const dead = await deadPort()
  const running = await proxy(everythingOn(dead))
  const response = await rawRequest(running.port, GET)
  expectProblem(response, 502)
  expect(response.body).not.toContain('127.0.0.1')
  expect(response.body).not.toContain(String(dead))
  expect(response.body).not.toContain('ECONN')
})

test('an address that cannot be one is 502', async () => {
  const table = aTable([aHost('example.com', [aRoute('web')])], {
    web: [{ address: 'not a host', port: 80 }],
  })
  const running = await proxy(aSnapshot(table))
  expectProblem(await rawRequest(running.port, GET), 502)
})

test('a connection that closes before an answer is 502', async () => {
  const { port } = await tcpUpstream((socket) => socket.on('data', () => socket.end()))
  const running = await proxy(everythingOn(port))
  expectProblem(await rawRequest(running.port, GET), 502)
})

test.each([
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
  [
    'an upgrade nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ],
  ['an endless header', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`],
])('an answer that is %s is 502', async (_, bytes) => {
  const { port } = await tcpUpstream((socket) => socket.on('data', () => socket.write(bytes)))
  const running = await proxy(everythingOn(port))
  expectProblem(await rawRequest(running.port, GET), 502)
})

test('no endpoint is 503 with Retry-After', async () => {
  const running = await proxy(everythingOn())
  const response = await rawRequest(running.port, GET)
  expectProblem(response, 503)
  expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
})

test('an upstream that the table lacks is 503', async () => {
  const running = await proxy(aSnapshot(aTable([aHost('example.com', [aRoute('gone')])], {})))
  expectProblem(await rawRequest(running.port, GET), 503)
})

test('an upstream that never answers is 504', async () => {
  const { port } = await upstream(() => {})
  const running = await proxy(everythingOn(port), { upstreamTimeouts: { headersMs: 30 } })
  expectProblem(await rawRequest(running.port, GET), 504)
})

test('a body that breaks half-way ends the connection, without the mark of a whole one', async () => {
  const { port } = await tcpUpstream((socket) =>
    socket.on('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
      setImmediate(() => socket.destroy())
    }),
  )
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  const received = await client.closed()
  expect(received).toContain('HTTP/1.1 200 OK')
  expect(received).not.toContain('0\r\n\r\n')
})

test('a body shorter than its length ends the connection', async () => {
  const { port } = await tcpUpstream((socket) =>
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
  )
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  expect((await client.closed()).endsWith('half')).toBe(true)
})

test('a failure after authorization still sets what authorization adds', async () => {
  const table = aTable(
    [
      aHost('example.com', [
        aRoute('web', {
          action: { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] },
        }),
      ]),
    ],
    { web: [await deadPort()] },
  )
  const running = await proxy(
    aSnapshot(table),
    {},
    {
      ...noAuthorizer,
      authorize: () => ({ ...ALLOW, responseHeaders: [['Set-Cookie', 'rolled=1']] }),
    },
  )
  const response = await rawRequest(running.port, GET)
  expectProblem(response, 502)
  expect(response.headers['set-cookie']).toBe('rolled=1')
})
