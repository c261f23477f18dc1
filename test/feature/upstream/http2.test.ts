import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { array, assert, asyncProperty, constantFrom, oneof, string, tuple } from 'fast-check'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createPrivateCa, type PrivateCa } from '../../auth/authorization-server/private-ca.ts'
import { deadPort } from '../../proxy/support.ts'
import { ingress, secret, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'
import { RawClient } from '../../support/raw-http.ts'
import { get, http2Upstream, httpsUpstream, httpUpstream, send, serviceOn } from './support.ts'

let own: PrivateCa

beforeAll(async () => {
  own = await createPrivateCa({ type: 2, value: 'web.default.svc' })
})

function manifests(port: number, annotations: Record<string, string>): string {
  return yaml(
    ...serviceOn('web', [port], annotations),
    ingress({ host: 'app.example', service: 'web' }),
    secret('upstream-ca', { 'ca.crt': own.ca }),
  )
}

async function open(port: number): Promise<RawClient> {
  const client = await RawClient.open(port)
  onTestFinished(() => client.close())
  return client
}

/** A length-prefixed message of gRPC. */
function message(text: string): string {
  return `\0\0\0\0${String.fromCharCode(text.length)}${text}`
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

const CALL =
  'POST /echo.Echo/Say HTTP/1.1\r\nHost: app.example\r\nContent-Type: application/grpc\r\nTE: trailers\r\n' +
  'Transfer-Encoding: chunked\r\n\r\n'
const END = '0\r\n\r\n'

describe.each(['H2C', 'GRPC'])('an upstream of protocol %s', (protocol) => {
  const annotations = { 'backend-protocol': protocol }

  test('is spoken to in HTTP/2 with prior knowledge', async () => {
    let seen: IncomingHttpHeaders = {}
    const { port, sessions } = await http2Upstream((stream, headers) => {
      seen = headers
      stream.respond({ ':status': 200, 'Set-Cookie': ['a=1', 'b=2'], 'X-Upper': 'yes' })
      stream.end('hello')
    })
    const ostiary = await startOstiary(manifests(port, annotations))
    const response = await send(
      ostiary.port,
      get({ 'X-Mixed-Case': '1', Cookie: 'c=d', 'Proxy-Connection': 'x' }),
    )
    expect(response).toMatchObject({ status: 200, body: 'hello' })
    expect(response.headers).toMatchObject({ 'set-cookie': 'a=1\nb=2', 'x-upper': 'yes' })
    expect(seen).toMatchObject({
      ':authority': 'app.example',
      ':method': 'GET',
      ':path': '/',
      ':scheme': 'http',
      'x-mixed-case': '1',
      'x-forwarded-proto': 'http',
      cookie: 'c=d',
      te: 'trailers',
    })
    expect(seen).not.toHaveProperty('proxy-connection')
    expect(seen).not.toHaveProperty('host')
    expect(sessions.size).toBe(1)
  })

  test('loses no other stream to a client that repeats a header in another case', async () => {
    let finish: (() => void) | undefined
    const { port, sessions } = await http2Upstream((stream, headers) => {
      stream.respond({ ':status': 200 })
      if (headers[':path'] === '/slow') {
        stream.write('begun ')
        finish = () => stream.end('and ended')
      } else stream.end(headers['user-agent'])
    })
    const ostiary = await startOstiary(manifests(port, annotations))
    const slow = await open(ostiary.port)
    slow.write('GET /slow HTTP/1.1\r\nHost: app.example\r\n\r\n')
    await slow.until((text) => text.includes('begun '))
    const hostile =
      'GET / HTTP/1.1\r\nHost: app.example\r\nUser-Agent: a\r\nUSER-AGENT: b\r\nETag: 1\r\netag: 2\r\n\r\n'
    expect(await send(ostiary.port, hostile)).toMatchObject({ status: 200, body: 'a, b' })
    expect(sessions.size).toBe(1)
    finish?.()
    expect(await slow.response()).toMatchObject({ status: 200, body: 'begun and ended' })
  })

  test('loses no other stream to any headers that a client makes up', async () => {
    let finish: (() => void) | undefined
    const { port, sessions } = await http2Upstream((stream, headers) => {
      stream.respond({ ':status': 200 })
      if (headers[':path'] === '/slow') {
        stream.write('begun ')
        finish = () => stream.end('and ended')
      } else stream.end('ok')
    })
    const ostiary = await startOstiary(manifests(port, annotations))
    const slow = await open(ostiary.port)
    slow.write('GET /slow HTTP/1.1\r\nHost: app.example\r\n\r\n')
    await slow.until((text) => text.includes('begun '))
    const known = constantFrom(
      'Cookie',
      'cookie',
      'Range',
      'range',
      'Date',
      'TE',
      'Priority',
      'X-A',
      'x_a',
      '__proto__',
      'constructor',
    )
    const token = string({
      unit: constantFrom(...'aZ09!#$%&*+-.^_`|~'.split('')),
      minLength: 1,
      maxLength: 5,
    })
    const value = string({
      unit: constantFrom(...'aZ09 \t:;,="\\%\u0080\u00e9\u00ff'.split('')),
      maxLength: 8,
    })
    await assert(
      asyncProperty(array(tuple(oneof(known, token), value), { maxLength: 6 }), async (fields) => {
        const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join('')
        const response = await send(ostiary.port, `GET / HTTP/1.1\r\nHost: app.example\r\n${lines}\r\n`)
        expect([200, 400]).toContain(response.status)
        expect(sessions.size).toBe(1)
      }),
      { numRuns: 80 },
    )
    finish?.()
    expect(await slow.response()).toMatchObject({ status: 200, body: 'begun and ended' })
  })

  test('answers HEAD, 304 and 103 as over HTTP/1.1', async () => {
    const { port } = await http2Upstream((stream, headers) => {
      if (headers[':path'] === '/early')
        stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' })
      const status = headers['if-none-match'] === undefined ? 200 : 304
      stream.respond({ ':status': status, etag: '"1"', 'content-length': 5 }, { endStream: status === 304 })
      if (status !== 304) stream.end(headers[':method'] === 'HEAD' ? undefined : 'hello')
    })
    const ostiary = await startOstiary(manifests(port, annotations))
    const client = await open(ostiary.port)
    client.write(get({}, 'HEAD'))
    expect(await client.response({ withoutBody: true })).toMatchObject({
      status: 200,
      headers: { 'content-length': '5' },
    })
    client.write(get({ 'If-None-Match': '"1"' }))
    expect(await client.response()).toMatchObject({ status: 304, headers: { etag: '"1"' }, body: '' })
    client.write('GET /early HTTP/1.1\r\nHost: app.example\r\n\r\n')
    expect(await client.response()).toMatchObject({ status: 103, headers: { link: '</a.css>; rel=preload' } })
    expect(await client.response()).toMatchObject({ status: 200, body: 'hello' })
  })

  test('gets no WebSocket', async () => {
    const paths: unknown[] = []
    const { port } = await http2Upstream((stream, headers) => {
      paths.push(headers[':path'])
      stream.respond()
      stream.end()
    })
    const ostiary = await startOstiary(manifests(port, annotations))
    const upgrade = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    expect((await send(ostiary.port, get(upgrade))).status).toBe(501)
    expect(paths).toEqual([])
  })

  test('that ends its session is asked again over another', async () => {
    const { port, sessions } = await http2Upstream((stream) => {
      stream.respond()
      stream.end('ok')
    })
    const ostiary = await startOstiary(manifests(port, annotations))
    for (let round = 0; round < 3; round += 1) {
      expect(await send(ostiary.port, get())).toMatchObject({ status: 200, body: 'ok' })
      const [session] = sessions
      const closed = new Promise((resolve) => session?.once('close', resolve))
      session?.close()
      await closed
    }
  })

  test('that is HTTP/1.1 only is 502', async () => {
    const port = await httpUpstream((_, response) => response.end('no'))
    const ostiary = await startOstiary(manifests(port, annotations))
    expect((await send(ostiary.port, get())).status).toBe(502)
  })
})

describe('gRPC', () => {
  async function grpc(onCall: (stream: ServerHttp2Stream) => void) {
    const upstream = await http2Upstream((stream, headers) => {
      if (headers['te'] !== 'trailers') stream.close()
      else onCall(stream)
    })
    const ostiary = await startOstiary(manifests(upstream.port, { 'backend-protocol': 'GRPC' }))
    return { client: await open(ostiary.port), ostiary, ...upstream }
  }

  function begin(stream: ServerHttp2Stream, trailers: Record<string, string>): void {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  }

  const OK = { 'grpc-status': '0', 'x-cost': '7' }

  /** The messages and trailers of a chunked response, as they are on the wire. */
  async function rest(client: RawClient): Promise<string> {
    await client.until((text) => text.includes('0\r\ngrpc-status'))
    await client.until((text) => text.endsWith('\r\n\r\n'))
    return client.take(client.pending.length)
  }

  test('unary: one message each way, and trailers', async () => {
    const { client } = await grpc((stream) => {
      begin(stream, OK)
      stream.setEncoding('latin1')
      let received = ''
      stream.on('data', (text: string) => (received += text))
      stream.on('end', () => stream.end(received))
    })
    client.write(`${CALL}${chunk(message('hi'))}${END}`)
    await client.until((text) => text.includes('\r\n\r\n'))
    const all = await rest(client)
    expect(all).toContain('content-type: application/grpc')
    expect(all).toContain(message('hi'))
    expect(all).toMatch(/\r\n0\r\ngrpc-status: 0\r\nx-cost: 7\r\n\r\n$/)
  })

  test('server streaming: each message goes out when it comes', async () => {
    let next: ((text?: string) => void) | undefined
    const { client } = await grpc((stream) => {
      begin(stream, OK)
      stream.resume()
      next = (text) => (text === undefined ? stream.end() : stream.write(message(text)))
    })
    client.write(`${CALL}${chunk(message('go'))}${END}`)
    await client.until((text) => text.includes('\r\n\r\n'))
    for (const text of ['one', 'two', 'three']) {
      next?.(text)
      await client.until((all) => all.endsWith(chunk(message(text))))
    }
    next?.()
    expect(await rest(client)).toMatch(/0\r\ngrpc-status: 0\r\n/)
  })

  test('client streaming: each message arrives when it is sent', async () => {
    const received: string[] = []
    let wake: () => void = () => {}
    const { client } = await grpc((stream) => {
      begin(stream, OK)
      stream.setEncoding('latin1')
      stream.on('data', (text: string) => {
        received.push(text)
        wake()
      })
      stream.on('end', () => stream.end(message(String(received.length))))
    })
    client.write(CALL)
    for (const text of ['one', 'two', 'three']) {
      const came = new Promise<void>((resolve) => (wake = resolve))
      client.write(chunk(message(text)))
      await came
    }
    expect(received).toEqual(['one', 'two', 'three'].map(message))
    client.write(END)
    expect(await rest(client)).toContain(message('3'))
  })

  test('bidirectional streaming: answers and messages alternate', async () => {
    const { client } = await grpc((stream) => {
      begin(stream, OK)
      stream.setEncoding('latin1')
      stream.on('data', (text: string) => stream.write(text))
      stream.on('end', () => stream.end())
    })
    client.write(CALL)
    for (const text of ['ping', 'pong', 'ping again']) {
      client.write(chunk(message(text)))
      await client.until((all) => all.endsWith(chunk(message(text))))
    }
    client.write(END)
    expect(await rest(client)).toMatch(/0\r\ngrpc-status: 0\r\n/)
  })

  test('a server that ends the call first is left by the stream, and the connection goes on', async () => {
    let closed: Promise<number> | undefined
    const { client, ostiary, sessions } = await grpc((stream) => {
      closed = new Promise((resolve) => stream.once('close', () => resolve(stream.rstCode ?? 0)))
      stream.resume()
      begin(stream, { 'grpc-status': '7', 'grpc-message': 'no' })
      stream.end()
    })
    client.write(`${CALL}${chunk(message('first of many'))}`)
    expect(await rest(client)).toMatch(/0\r\ngrpc-status: 7\r\ngrpc-message: no\r\n/)
    await closed
    expect(sessions.size).toBe(1)
    const second = await open(ostiary.port)
    second.write(`${CALL}${END}`)
    expect(await rest(second)).toMatch(/grpc-status: 7/)
    expect(sessions.size).toBe(1)
  })

  test('a client that leaves resets its stream alone', async () => {
    let closed: Promise<unknown> | undefined
    let came: () => void = () => {}
    const hasCome = new Promise<void>((resolve) => (came = resolve))
    const { client, sessions } = await grpc((stream) => {
      closed = new Promise((resolve) => stream.once('aborted', resolve))
      stream.respond({ ':status': 200 })
      stream.on('data', () => came())
    })
    client.write(`${CALL}${chunk(message('hello'))}`)
    await hasCome
    client.close()
    await closed
    expect(sessions.size).toBe(1)
  })

  test('a stream that the server resets is 502 before its headers, and ends the connection after', async () => {
    const { client, ostiary, sessions } = await grpc((stream) => {
      stream.once('data', (data: Buffer) => {
        if (data.includes('late')) {
          begin(stream, OK)
          stream.write(message('half'), () => stream.close(2))
        } else stream.close(2)
      })
    })
    client.write(`${CALL}${chunk(message('now'))}${END}`)
    expect((await client.response()).status).toBe(502)
    const late = await open(ostiary.port)
    late.write(`${CALL}${chunk(message('late'))}`)
    const received = await late.closed()
    expect(received).toContain(message('half'))
    expect(received).not.toContain('0\r\n\r\n')
    expect(sessions.size).toBe(1)
  })
})

describe('a gRPC call that cannot be forwarded', () => {
  test.each([
    ['an upstream that is not there', 'app.example', 502, '14'],
    ['a host that is not served', 'other.example', 404, '12'],
  ])('is told so in words of gRPC: %s', async (_, host, status, code) => {
    const ostiary = await startOstiary(manifests(await deadPort(), { 'backend-protocol': 'GRPC' }))
    const client = await open(ostiary.port)
    client.write(`${CALL.replace('app.example', host)}${chunk(message('hello'))}${END}`)
    const response = await client.response()
    expect(response).toMatchObject({ status, body: '' })
    expect(response.headers).toMatchObject({ 'content-type': 'application/grpc', 'grpc-status': code })
    expect(response.headers['grpc-message']).toBeTruthy()
  })
})

describe('GRPCS', () => {
  const annotations = { 'backend-protocol': 'GRPCS', 'upstream-ca-secret': 'upstream-ca' }

  test('is HTTP/2 over verified TLS', async () => {
    const { port } = await http2Upstream(
      (stream) => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
        stream.end('safe')
      },
      { key: own.key, cert: own.cert },
    )
    const ostiary = await startOstiary(manifests(port, annotations))
    expect(await send(ostiary.port, get())).toMatchObject({ status: 200, body: 'safe' })
    const unverified = await startOstiary(manifests(port, { 'backend-protocol': 'GRPCS' }))
    expect((await send(unverified.port, get())).status).toBe(502)
  })

  test('is never HTTP/1.1', async () => {
    let requests = 0
    const port = await httpsUpstream({ key: own.key, cert: own.cert }, (_, response) => {
      requests += 1
      response.end()
    })
    const ostiary = await startOstiary(manifests(port, annotations))
    expect((await send(ostiary.port, get())).status).toBe(502)
    expect(requests).toBe(0)
  })
})
