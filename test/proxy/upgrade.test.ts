import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { createProxyServer } from '../../src/proxy/proxy-server.ts'
import type { Authorizer } from '../../src/auth/authorize.ts'
import type { AuthDecision } from '../../src/auth/decision.ts'
import { systemClock } from '../../src/clock.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import {
  acceptOf,
  handshake,
  startWebSocketUpstream,
  textFrame,
  WebSocketClient,
} from '../support/web-socket.ts'
import { ALLOW, deadPort, everythingOn, GET, noAuthorizer, proxy, silent, tcpUpstream } from './support.ts'

const MIB = 1024 * 1024

async function open(port: number, headers: Readonly<Record<string, string>> = {}): Promise<WebSocketClient> {
  return WebSocketClient.open(await RawClient.open(port), handshake('/chat?room=1', 'example.com', headers))
}

/** What an upstream of bytes answers to a handshake. */
function switching(request: string, extra = ''): string {
  const key = /^sec-websocket-key: (.*)\r$/im.exec(request)?.[1] ?? ''
  return (
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n${extra}\r\n`
  )
}

/** An upstream that switches and then leaves its socket to the test. */
async function switchingUpstream(): Promise<{ port: number; socket: Promise<Socket> }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const { port } = await tcpUpstream((socket) => {
    socket.once('data', (head: Buffer) => {
      socket.write(switching(head.toString('latin1')))
      socket.pause()
      resolve(socket)
    })
  })
  return { port, socket: promise }
}

describe('a WebSocket', () => {
  test('is tunnelled both ways, and its handshake follows the rules of every request', async () => {
    const upstream = await startWebSocketUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const socket = await open(port, {
      Connection: 'keep-alive, Upgrade, X-Hop',
      'X-Hop': 'ends here',
      'X-Consumer-Username': 'mallory',
      'X-Forwarded-For': '203.0.113.9',
      'Sec-WebSocket-Protocol': 'chat',
    })
    expect(socket.response.headers).toMatchObject({
      connection: 'Upgrade',
      upgrade: 'websocket',
      'x-upstream': 'echo',
      'sec-websocket-accept': expect.stringMatching(/=$/),
    })
    expect(socket.response.headers['content-length']).toBeUndefined()
    expect(socket.response.headers['transfer-encoding']).toBeUndefined()
    expect(await socket.echo('hello')).toBe('hello')
    expect(await socket.echo('x'.repeat(60_000))).toBe('x'.repeat(60_000))
    const { url, headers } = upstream.requests[0] ?? {}
    expect(url).toBe('/chat?room=1')
    expect(headers).toMatchObject({
      host: 'example.com',
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-protocol': 'chat',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    })
    expect(headers).not.toHaveProperty('x-hop')
    expect(headers).not.toHaveProperty('x-consumer-username')
    socket.raw.close()
  })

  test('works over TLS, and its upstream learns the scheme', async () => {
    const upstream = await startWebSocketUpstream()
    const { https = 0 } = await proxy(everythingOn(upstream.port), {
      https: { port: 0 },
      defaultCertificate: await createDefaultCertificate(new Date()),
    })
    const raw = await RawClient.openTls({ port: https, servername: 'example.com' })
    const socket = await WebSocketClient.open(raw, handshake('/', 'example.com'))
    expect(await socket.echo('hello')).toBe('hello')
    expect(upstream.requests[0]?.headers['x-forwarded-proto']).toBe('https')
    const ended = once(upstream.sockets[0] as Socket, 'close')
    raw.socket.end()
    await ended
    await raw.closed()
  })

  test('gets the bytes that came with the handshake, in both directions', async () => {
    const { port: upstreamPort } = await tcpUpstream((socket) => {
      let received = ''
      socket.setEncoding('latin1')
      socket.on('data', (chunk: string) => {
        const first = received === ''
        received += chunk
        if (first) socket.write(`${switching(received)}greeting`)
        if (received.endsWith('early')) socket.write(' heard early')
      })
    })
    const { port } = await proxy(everythingOn(upstreamPort))
    const client = await RawClient.open(port)
    client.write(`${handshake('/', 'example.com')}early`)
    expect((await client.response()).status).toBe(101)
    await client.until((text) => text === 'greeting heard early')
    client.close()
  })

  test('takes its turn behind a request that was sent before it', async () => {
    const upstream = await startWebSocketUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const client = await RawClient.open(port)
    client.write(GET + handshake('/', 'example.com'))
    expect((await client.response()).body).toContain('ordinary')
    const socket = new WebSocketClient(client, await client.response())
    expect(socket.response.status).toBe(101)
    expect(await socket.echo('hello')).toBe('hello')
    client.close()
  })

  test('is counted: its request with code 101, and it as an open connection until it closes', async () => {
    const upstream = await startWebSocketUpstream()
    const { port, server } = await proxy(everythingOn(upstream.port))
    const values = (name: string): unknown[] => [
      ...(server.metrics().find((family) => family.name === name)?.values ?? []),
    ]
    const openSockets = { value: 1, labels: { kind: 'websocket' } }
    const socket = await open(port)
    await socket.echo('hello')
    expect(values('ostiary_open_connections')).toContainEqual(openSockets)
    expect(values('ostiary_http_requests_total')).toEqual([
      expect.objectContaining({ value: 1, labels: expect.objectContaining({ method: 'GET', code: 101 }) }),
    ])
    const gone = once(upstream.sockets[0] as Socket, 'close')
    socket.raw.socket.end()
    await gone
    await socket.raw.closed()
    await rawRequest(port, GET)
    expect(values('ostiary_open_connections')).toContainEqual({ ...openSockets, value: 0 })
  })
})

describe('what is no WebSocket stays an ordinary request', () => {
  test.each([
    [
      'h2c',
      `GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
    ],
    ['TLS', 'GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n'],
    [
      'a name that only begins alike',
      'GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocketx\r\n\r\n',
    ],
    ['no Connection: upgrade', 'GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\r\n'],
    [
      'another method',
      'POST / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n',
    ],
    [
      'a body',
      'GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n\r\nbody',
    ],
    [
      'a chunked body',
      'GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
    ],
  ])('%s', async (_name, request) => {
    const upstream = await startWebSocketUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const client = await RawClient.open(port)
    client.write(request)
    const { body, headers, status } = await client.response()
    expect(status).toBe(200)
    const { ordinary } = JSON.parse(body) as { ordinary: Record<string, string> }
    expect(ordinary).not.toHaveProperty('upgrade')
    expect(ordinary).not.toHaveProperty('http2-settings')
    expect(ordinary['connection']).not.toMatch(/upgrade/i)
    // What follows is judged like any other request, or nobody reads it.
    client.write('GET / HTTP/1.1\r\nHost: other.example\r\n\r\n')
    if (headers['connection'] === 'close') expect(await client.closed()).toBe('')
    else expect((await client.response()).status).toBe(404)
    expect(headers['connection'] === 'close').toBe(/Connection: Upgrade/.test(request))
    expect(upstream.requests).toEqual([])
    client.close()
  })

  test('of a list of protocols the upstream is asked for websocket alone', async () => {
    const upstream = await startWebSocketUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const socket = await open(port, { Upgrade: 'h2c, WebSocket' })
    expect(upstream.requests[0]?.headers.upgrade).toBe('websocket')
    socket.raw.close()
  })
})

describe('an upgrade that is refused reaches no upstream, and its connection closes', () => {
  async function refused(
    decision: AuthDecision | undefined,
    target = '/',
    host = 'example.com',
  ): Promise<{ status: number; headers: Readonly<Record<string, string>> }> {
    const upstream = await startWebSocketUpstream()
    const guarded = { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] } as const
    const closed = { kind: 'closed', reason: 'PluginNotFound', message: '' } as const
    const routes = [
      aRoute('web', { path: '/closed', action: closed }),
      aRoute('web', { path: '/only', action: guarded }),
      aRoute('web', { action: guarded }),
    ]
    const table = aTable([aHost('example.com', routes)], { web: [upstream.port] })
    const authorizer: Authorizer =
      decision === undefined ? noAuthorizer : { ...noAuthorizer, authorize: () => Promise.resolve(decision) }
    const { port } = await proxy(aSnapshot(table), {}, authorizer)
    const client = await RawClient.open(port)
    client.write(handshake(target, host, { Accept: 'text/html' }))
    const response = await client.response()
    expect(response.headers['connection']).toBe('close')
    expect(await client.closed()).toBe('')
    expect(upstream.requests).toEqual([])
    return response
  }

  test.each([
    ['an unknown host', '/', 'other.example', 404],
    ['a closed route', '/closed', 'example.com', 503],
    ['an ambiguous path', '/a//b', 'example.com', 400],
    ['dot segments', '/a/../b', 'example.com', 400],
  ])('%s', async (_name, target, host, status) => {
    expect((await refused(undefined, target, host)).status).toBe(status)
  })

  test('by authorization, with its challenge', async () => {
    const { status, headers } = await refused({
      kind: 'refuse',
      status: 401,
      reason: 'no_credential',
      message: 'Unauthorized',
      wwwAuthenticate: ['Bearer realm="example.com"'],
      responseHeaders: [],
    })
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe('Bearer realm="example.com"')
    expect(headers['content-type']).toBe('application/problem+json')
  })

  test('and is never redirected, whatever was decided', async () => {
    const { status, headers } = await refused({
      kind: 'redirect',
      status: 302,
      location: 'https://login.example/',
      reason: 'login',
      responseHeaders: [],
    })
    expect(status).toBe(403)
    expect(headers).not.toHaveProperty('location')
  })
})

describe("an upstream's answer", () => {
  test('other than 101 is relayed as an ordinary response', async () => {
    const { port: upstreamPort } = await tcpUpstream((socket) => {
      socket.once('data', () => {
        socket.write(
          'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Version: 13\r\nContent-Length: 5\r\n\r\nwrong',
        )
      })
    })
    const { port } = await proxy(everythingOn(upstreamPort))
    const client = await RawClient.open(port)
    client.write(handshake('/', 'example.com'))
    const { status, body, headers } = await client.response()
    expect({ status, body }).toEqual({ status: 426, body: 'wrong' })
    expect(headers).toMatchObject({ connection: 'close', 'x-version': '13' })
    expect(headers).not.toHaveProperty('upgrade')
    expect(await client.closed()).toBe('')
  })

  test('other than 101 comes whole, however long and slowly read it is', async () => {
    const body = 'x'.repeat(8 * MIB)
    const { port: upstreamPort } = await tcpUpstream((socket) => {
      socket.once('data', () =>
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
      )
    })
    const { port } = await proxy(everythingOn(upstreamPort))
    const client = await RawClient.open(port)
    client.socket.pause()
    client.write(handshake('/', 'example.com'))
    await passTime(port)
    client.socket.resume()
    expect((await client.closed()).length).toBeGreaterThan(body.length)
  })

  test.each([
    ['to another protocol', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'],
    ['without saying to what', ''],
    [
      'with the proof of another handshake',
      `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${acceptOf('other')}\r\n`,
    ],
    ['without proof', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
  ])('that switches %s is 502, and no byte gets through', async (_name, headers) => {
    let received = ''
    const { promise: lost, resolve: onLost } = Promise.withResolvers<void>()
    const { port: upstreamPort } = await tcpUpstream((socket) => {
      socket.setEncoding('latin1')
      socket.on('close', onLost)
      socket.on('data', (chunk: string) => {
        received += chunk
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`)
      })
    })
    const { port } = await proxy(everythingOn(upstreamPort))
    const client = await RawClient.open(port)
    client.write(`${handshake('/', 'example.com')}GET /admin HTTP/1.1\r\n\r\n`)
    expect((await client.response()).status).toBe(502)
    await client.closed()
    await lost
    expect(received).not.toContain('/admin')
  })

  test('of 101 to an ordinary request is 502', async () => {
    const { port: upstreamPort } = await tcpUpstream((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    })
    const { port } = await proxy(everythingOn(upstreamPort))
    expect((await rawRequest(port, GET)).status).toBe(502)
  })

  test('that cannot be had is 502', async () => {
    const { port } = await proxy(everythingOn(await deadPort()))
    expect((await rawRequest(port, handshake('/', 'example.com'))).status).toBe(502)
  })

  test('carries what authorization adds', async () => {
    const upstream = await startWebSocketUpstream()
    const action = { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] } as const
    const table = aTable([aHost('example.com', [aRoute('web', { action })])], { web: [upstream.port] })
    const allow = {
      ...ALLOW,
      setHeaders: [['x-consumer-username', 'alice']] as const,
      responseHeaders: [['set-cookie', 'session=renewed']] as const,
    }
    const { port } = await proxy(aSnapshot(table), {}, { ...noAuthorizer, authorize: () => allow })
    const socket = await open(port)
    expect(socket.response.headers['set-cookie']).toBe('session=renewed')
    expect(upstream.requests[0]?.headers['x-consumer-username']).toBe('alice')
    socket.raw.close()
  })
})

describe('a tunnel', () => {
  test('holds a fast upstream back for a client that does not read, and loses nothing', async () => {
    const total = 96 * MIB
    const upstream = await switchingUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const { raw } = await open(port)
    const sending = await upstream.socket
    raw.socket.pause()
    let written = 0
    const fill = (): void => {
      while (written < total) {
        written += MIB
        if (!sending.write(Buffer.alloc(MIB))) {
          sending.once('drain', fill)
          return
        }
      }
      sending.end()
    }
    fill()
    await passTime(port)
    expect(written).toBeLessThan(total / 2)
    let received = raw.pending.length
    raw.socket.removeAllListeners('data')
    raw.socket.on('data', (chunk: string) => {
      received += chunk.length
    })
    raw.socket.resume()
    await once(raw.socket, 'end')
    expect(received).toBe(total)
  })

  test('holds a fast client back for an upstream that does not read', async () => {
    const total = 96 * MIB
    const upstream = await switchingUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const { raw } = await open(port)
    const receiving = await upstream.socket
    let written = 0
    const fill = (): void => {
      while (written < total) {
        written += MIB
        if (!raw.socket.write(Buffer.alloc(MIB))) {
          raw.socket.once('drain', fill)
          return
        }
      }
      raw.socket.end()
    }
    fill()
    await passTime(port)
    expect(written).toBeLessThan(total / 2)
    let received = 0
    receiving.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    receiving.resume()
    await once(receiving, 'end')
    expect(received).toBe(total)
    receiving.end()
    await raw.closed()
  })

  test("lets the upstream answer after the client's end, and the client after the upstream's", async () => {
    for (const first of ['client', 'upstream'] as const) {
      const upstream = await switchingUpstream()
      const { port } = await proxy(everythingOn(upstream.port))
      const { raw } = await open(port)
      const sides = { client: raw.socket, upstream: await upstream.socket }
      const [one, other] = [sides[first], sides[first === 'client' ? 'upstream' : 'client']]
      other.allowHalfOpen = true
      other.resume()
      one.end()
      await once(other, 'end')
      const heard = once(one, 'data')
      one.resume()
      other.end('last words')
      expect(String((await heard)[0])).toBe('last words')
      await Promise.all([once(one, 'close'), other.closed || once(other, 'close')])
    }
  })

  test.each(['client', 'upstream'] as const)('ends when its %s is cut off', async (side) => {
    const upstream = await startWebSocketUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const { raw } = await open(port)
    const sides = { client: raw.socket, upstream: upstream.sockets[0] as Socket }
    const gone = Promise.all([once(sides.client, 'close'), once(sides.upstream, 'close')])
    sides[side].resetAndDestroy()
    await gone
  })

  test('ends with its last bytes when the upstream sends them and closes', async () => {
    const { port: upstreamPort } = await tcpUpstream((socket) => {
      socket.once('data', (head: Buffer) => socket.end(`${switching(head.toString('latin1'))}bye`))
    })
    const { port } = await proxy(everythingOn(upstreamPort))
    const { raw } = await open(port)
    expect(await raw.closed()).toBe('bye')
  })
})

test('a client that is cut off before the upstream answers takes the handshake along', async () => {
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<Socket>()
  const { port: upstreamPort } = await tcpUpstream((socket) => {
    socket.once('data', () => onAsked(socket))
  })
  const { port } = await proxy(everythingOn(upstreamPort))
  const client = await RawClient.open(port)
  client.write(handshake('/', 'example.com'))
  const socket = await asked
  const gone = once(socket, 'close')
  client.socket.resetAndDestroy()
  await gone
})

describe('draining', () => {
  test('lets a WebSocket live until the deadline, and cuts it then', async () => {
    const upstream = await startWebSocketUpstream()
    const timers = new ManualTimers()
    const server = await createProxyServer(
      { http: { port: 0 } },
      { authorizer: noAuthorizer, clock: timers, timers, log: silent },
    )
    server.publish(everythingOn(upstream.port))
    const { http = 0 } = await server.listen()
    const socket = await open(http)
    const closing = server.close({ drainMs: 30_000 })
    timers.advance(29_999)
    expect(await socket.echo('still here')).toBe('still here')
    const gone = once(upstream.sockets[0] as Socket, 'close')
    timers.advance(1)
    expect(await socket.raw.closed()).toBe('')
    await gone
    await closing
  })

  test('cuts an upgrade that is not decided yet', async () => {
    const upstream = await startWebSocketUpstream()
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>()
    const action = { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] } as const
    const table = aTable([aHost('example.com', [aRoute('web', { action })])], { web: [upstream.port] })
    const never: Authorizer['authorize'] = () => {
      onAsked()
      return new Promise(() => {})
    }
    const server = await createProxyServer(
      { http: { port: 0 } },
      { authorizer: { ...noAuthorizer, authorize: never }, clock: systemClock, log: silent },
    )
    onTestFinished(() => server.close({ drainMs: 0 }))
    server.publish(aSnapshot(table))
    const { http = 0 } = await server.listen()
    const client = await RawClient.open(http)
    client.write(handshake('/', 'example.com'))
    await asked
    await server.close({ drainMs: 0 })
    expect(await client.closed()).toBe('')
    expect(upstream.requests).toEqual([])
  })
})

test('a frame that a client sends long before the upstream has answered waits for it', async () => {
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<Socket>()
  let received = Buffer.alloc(0)
  const { port: upstreamPort } = await tcpUpstream((socket) => {
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      onAsked(socket)
    })
  })
  const { port } = await proxy(everythingOn(upstreamPort))
  const client = await RawClient.open(port)
  client.write(handshake('/', 'example.com'))
  const socket = await asked
  const early = textFrame('early', 'client')
  client.write(early)
  await passTime(port)
  const head = received.toString('latin1')
  expect(head.endsWith('\r\n\r\n')).toBe(true)
  const heard = once(socket, 'data')
  socket.write(switching(head))
  await heard
  expect(received.subarray(head.length)).toEqual(early)
  client.close()
})

/** Time, as the proxy counts it: were nobody held back, everything would have moved by now. */
async function passTime(port: number): Promise<void> {
  for (let i = 0; i < 60; i += 1) await rawRequest(port, 'GET / HTTP/1.1\r\nHost: none.example\r\n\r\n')
}
