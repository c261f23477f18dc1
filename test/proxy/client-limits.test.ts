import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { ProxyServer } from '../../src/proxy/proxy-server.ts'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { CLIENT_LIMITS, type ClientLimits } from '../../src/proxy/client-limits.ts'
import { RawClient, rawRequest, type RawResponse } from '../support/raw-http.ts'
import { everythingOn, GET, proxy, upstream } from './support.ts'

const HOST = 'Host: example.com\r\n'

interface Limited {
  readonly port: number
  readonly https: number
  readonly server: ProxyServer
  readonly reached: () => number
}

/** A proxy with some limits, before an upstream that answers with nothing. */
async function limited(limits: Partial<ClientLimits>): Promise<Limited> {
  let reached = 0
  const { port } = await upstream((request, response) => {
    reached += 1
    request.on('error', () => {}).resume()
    request.on('end', () => response.end())
  })
  const defaultCertificate = await createDefaultCertificate(new Date())
  const running = await proxy(everythingOn(port), { limits, https: { port: 0 }, defaultCertificate })
  return { port: running.port, https: running.https ?? 0, server: running.server, reached: () => reached }
}

function expectProblem({ body, headers, status }: RawResponse, expected: number): void {
  expect(status).toBe(expected)
  expect(headers).toMatchObject({ 'content-type': 'application/problem+json', server: 'ostiary' })
  expect(JSON.parse(body)).toMatchObject({ status: expected })
}

describe('what a request may be', () => {
  test.each([
    ['a target of its limit', 200, { maxUrlBytes: 20 }, `GET /${'u'.repeat(19)} HTTP/1.1\r\n${HOST}\r\n`],
    ['a target above its limit', 414, { maxUrlBytes: 20 }, `GET /${'u'.repeat(20)} HTTP/1.1\r\n${HOST}\r\n`],
    ['a query above it', 414, { maxUrlBytes: 20 }, `GET /?${'u'.repeat(20)} HTTP/1.1\r\n${HOST}\r\n`],
    ['a target above the limit by default', 414, {}, `GET /${'u'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`],
    [
      'as many fields as may be',
      200,
      { maxHeaderCount: 4 },
      `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(3)}\r\n`,
    ],
    ['a field too many', 431, { maxHeaderCount: 4 }, `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(4)}\r\n`],
    ['more fields than may be by default', 431, {}, `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(100)}\r\n`],
    // node:http by itself drops what is beyond a thousand, and with it what the pipeline has to see.
    ['very many fields', 431, {}, `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(5000)}\r\n`],
    [
      'very many fields without a limit',
      400,
      { maxHeaderCount: 0 },
      `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(5000)}${HOST}\r\n`,
    ],
    [
      'fields above their bytes',
      431,
      { maxHeaderBytes: 9000 },
      `GET / HTTP/1.1\r\n${HOST}A: ${'b'.repeat(9000)}\r\n\r\n`,
    ],
    ['a target above all bytes', 431, {}, `GET /${'u'.repeat(70_000)} HTTP/1.1\r\n${HOST}\r\n`],
    [
      'extensions of chunks above theirs',
      413,
      {},
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;${'e'.repeat(20_000)}\r\n`,
    ],
  ])('%s: %i', async (_, status, limits, request) => {
    const { port, reached } = await limited(limits)
    const response = await rawRequest(port, request)
    if (status === 200) {
      expect(response.status).toBe(200)
      return
    }
    expectProblem(response, status)
    if (status !== 413) expect(reached()).toBe(0)
  })

  test('after too many fields the connection is over', async () => {
    const { port, reached } = await limited({ maxHeaderCount: 2 })
    const client = await RawClient.open(port)
    client.write(`GET / HTTP/1.1\r\n${HOST}A: b\r\nC: d\r\n\r\n${GET}`)
    expectProblem(await client.response(), 431)
    expect(await client.closed()).toBe('')
    expect(reached()).toBe(0)
  })
})

describe('how long a client may take', () => {
  test.each([
    ['sends nothing', ''],
    ['sends half a request line', 'GET /'],
    ['sends half of its fields', `GET / HTTP/1.1\r\n${HOST}A: b\r\n`],
    ['stops inside its second request', `${GET}GET /`],
  ])('one that %s is answered 408', async (_, bytes) => {
    const { port } = await limited({ headerTimeoutMs: 60 })
    const client = await RawClient.open(port)
    client.write(bytes)
    if (bytes.startsWith(GET)) expect((await client.response()).status).toBe(200)
    expectProblem(await client.response(), 408)
    expect(await client.closed()).toBe('')
  })

  test('one that sends its fields byte by byte is answered 408 all the same', async () => {
    const { port } = await limited({ headerTimeoutMs: 60 })
    const client = await RawClient.open(port)
    client.write(`GET / HTTP/1.1\r\n${HOST}`)
    const drip = setInterval(() => client.write('A: b\r\n'), 5)
    expectProblem(await client.response(), 408)
    clearInterval(drip)
    client.close()
  })

  test.each([
    ['a length', 'Content-Length: 10\r\n\r\nhalf'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('one that stops inside a body with %s is answered 408', async (_, rest) => {
    const { port } = await limited({ bodyTimeoutMs: 40 })
    const client = await RawClient.open(port)
    client.write(`POST / HTTP/1.1\r\n${HOST}${rest}`)
    const response = await client.response()
    expectProblem(response, 408)
    expect(response.headers['connection']).toBe('close')
    expect(await client.closed()).toBe('')
  })

  test('one that stops inside a body whose answer has begun is cut off', async () => {
    const { port } = await upstream((request, response) => {
      request.on('error', () => {}).resume()
      response.write('begun')
    })
    const running = await proxy(everythingOn(port), { limits: { bodyTimeoutMs: 40 } })
    const client = await RawClient.open(running.port)
    client.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhalf`)
    await client.until((text) => text.includes('begun'))
    expect(await client.closed()).not.toContain('problem+json')
  })

  test('an idle connection is closed after its time', async () => {
    const { port } = await limited({ keepAliveMs: 40 })
    const client = await RawClient.open(port)
    client.write(GET)
    expect((await client.response()).status).toBe(200)
    expect(await client.closed()).toBe('')
  })
})

describe('how many there may be', () => {
  /** A proxy whose upstream answers when it is told to. */
  async function held(limits: Partial<ClientLimits>) {
    const responses: ServerResponse[] = []
    const { port } = await upstream((_, response) => responses.push(response))
    return { port: (await proxy(everythingOn(port), { limits })).port, responses }
  }

  test('a request above the cap is answered 503, and there is room again when another is done', async () => {
    const { port, responses } = await held({ maxRequests: 2 })
    const clients = [await RawClient.open(port), await RawClient.open(port)]
    for (const client of clients) client.write(GET)
    await expect.poll(() => responses.length).toBe(2)

    const refused = await rawRequest(port, GET)
    expectProblem(refused, 503)
    expect(refused.headers['retry-after']).toBe('1')
    expect(responses).toHaveLength(2)

    responses[0]!.end()
    await Promise.race(clients.map((client) => client.response()))
    const later = rawRequest(port, GET)
    await expect.poll(() => responses.length).toBe(3)
    responses[2]!.end()
    expect((await later).status).toBe(200)
    for (const client of clients) client.close()
  })

  test('one whose client leaves makes room too', async () => {
    const { port, responses } = await held({ maxRequests: 1 })
    const client = await RawClient.open(port)
    client.write(GET)
    await expect.poll(() => responses.length).toBe(1)
    client.close()
    await expect
      .poll(async () => {
        const asked = await RawClient.open(port)
        asked.write(GET)
        const seen = await Promise.race([
          asked.response().then(({ status }) => status),
          expect.poll(() => responses.length).toBe(2),
        ])
        asked.close()
        return seen
      })
      .not.toBe(503)
  })

  test('a WebSocket counts until it is open', async () => {
    const { port: upstreamPort, server } = await upstream((_, response) => response.end())
    server.on('upgrade', (_, socket) => {
      const accept = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n'
      const fields = `Connection: Upgrade\r\nUpgrade: websocket\r\n${accept}`
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`)
      socket
        .on('error', () => {})
        .on('end', () => socket.end())
        .resume()
    })
    const { port } = await proxy(everythingOn(upstreamPort), { limits: { maxRequests: 1 } })
    const socket = await RawClient.open(port)
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
    socket.write(`GET / HTTP/1.1\r\n${HOST}${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`)
    expect((await socket.response()).status).toBe(101)
    // It has been answered, and from here on it is a connection.
    expect((await rawRequest(port, GET)).status).toBe(200)
    socket.close()
  })

  test('a connection above the cap is closed without an answer, and there is room again', async () => {
    const { port, server } = await limited({ maxConnections: 1 })
    const first = await RawClient.open(port)
    first.write(GET)
    expect((await first.response()).status).toBe(200)
    const second = connect({ port, host: '127.0.0.1' })
    let received = ''
    second.on('error', () => {}).on('data', (chunk) => (received += String(chunk)))
    second.write(GET)
    await once(second, 'close')
    expect(received).toBe('')
    expect(refusedIn(server)).toEqual([1, 0])
    first.close()
    await expect.poll(async () => (await rawRequest(port, GET).catch(() => ({ status: 0 }))).status).toBe(200)
  })
})

/** Connections that were above the cap, of HTTP and HTTPS. */
function refusedIn(server: ProxyServer): number[] {
  const found = server.metrics().find(({ name }) => name === 'ostiary_connections_refused_total')
  return (found?.values ?? []).map(({ value }) => value)
}

describe('over TLS', () => {
  test.each([
    ['a target above its limit', 414, { maxUrlBytes: 20 }, `GET /${'u'.repeat(20)} HTTP/1.1\r\n${HOST}\r\n`],
    ['a field too many', 431, { maxHeaderCount: 2 }, `GET / HTTP/1.1\r\n${HOST}A: b\r\nC: d\r\n\r\n`],
    [
      'fields above their bytes',
      431,
      { maxHeaderBytes: 9000 },
      `GET / HTTP/1.1\r\n${HOST}A: ${'b'.repeat(9000)}\r\n\r\n`,
    ],
    ['fields that do not come', 408, { headerTimeoutMs: 60 }, 'GET / HTTP/1.1\r\n'],
    [
      'a body that does not come',
      408,
      { bodyTimeoutMs: 40 },
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\na`,
    ],
  ])('%s: %i', async (_, status, limits, request) => {
    const { https } = await limited(limits)
    const client = await RawClient.openTls({ port: https, servername: 'example.com' })
    client.write(request)
    expectProblem(await client.response(), status)
    client.close()
  })

  test('connections have the same cap, before their handshake', async () => {
    const { https, server } = await limited({ maxConnections: 1 })
    const first = await RawClient.openTls({ port: https, servername: 'example.com' })
    await expect(RawClient.openTls({ port: https, servername: 'example.com' })).rejects.toThrow()
    expect(refusedIn(server)).toEqual([0, 1])
    first.close()
  })
})

test('the defaults leave room for what browsers and gateways send', () => {
  expect(CLIENT_LIMITS).toEqual({
    maxHeaderBytes: 65_536,
    maxHeaderCount: 100,
    maxUrlBytes: 16_384,
    headerTimeoutMs: 30_000,
    bodyTimeoutMs: 60_000,
    keepAliveMs: 75_000,
    maxConnections: 20_000,
    maxRequests: 10_000,
  })
})
