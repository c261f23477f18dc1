import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { describe, expect, test } from 'vitest'
import { RawClient } from '../../support/raw-http.ts'
import { ManualTimers } from '../../support/manual-timers.ts'
import { startOstiary, type Ostiary } from '../../support/ostiary.ts'
import { deadPort, tcpUpstream } from '../../proxy/support.ts'
import { get, http2Upstream, httpUpstream, manifests, send } from './support.ts'

/** Time stands still but for `advance`. */
async function start(text: string): Promise<{ ostiary: Ostiary; timers: ManualTimers }> {
  const timers = new ManualTimers()
  return { ostiary: await startOstiary(text, { clock: timers, timers }), timers }
}

/** Answers with `answer`, and says which methods came. */
async function counted(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
  const methods: string[] = []
  const port = await httpUpstream((request, response) => {
    methods.push(request.method ?? '')
    answer(request, response, methods.length)
  })
  return { port, methods }
}

function ok(_: IncomingMessage, response: ServerResponse): void {
  response.end('ok')
}

/** Breaks every request off when it has come. */
async function breaking() {
  let requests = 0
  const { port } = await tcpUpstream((socket) => {
    socket.once('data', () => {
      requests += 1
      socket.destroy()
    })
  })
  return { port, requests: () => requests }
}

const POST = 'POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 2\r\n\r\nhi'

describe('an endpoint that refuses connections', () => {
  test.each([
    ['a GET', get()],
    ['a POST with its body', POST],
  ])('costs nobody an answer where there is another: %s', async (_, request) => {
    const { port, methods } = await counted(ok)
    const { ostiary } = await start(manifests([await deadPort(), port]))
    for (let i = 0; i < 6; i += 1) expect(await send(ostiary.port, request)).toMatchObject({ status: 200 })
    expect(methods).toHaveLength(6)
  })

  test('rests for a growing while, and comes back at its first answer', async () => {
    const good = await counted(ok)
    let back = false
    const flaky = await tcpUpstream((socket) => {
      socket.on('data', () =>
        back ? socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nback') : socket.destroy(),
      )
    })
    let tries = 0
    flaky.server.on('connection', () => (tries += 1))
    const { ostiary, timers } = await start(manifests([flaky.port, good.port]))

    async function round(): Promise<number> {
      const before = tries
      for (let i = 0; i < 4; i += 1) await send(ostiary.port, get())
      return tries - before
    }

    // The first request to it fails; then it rests a second, two, four.
    for (const restMs of [1000, 2000, 4000]) {
      expect(await round()).toBe(1)
      timers.advance(restMs - 1)
      expect(await round()).toBe(0)
      timers.advance(1)
    }
    back = true
    expect(await round()).toBeGreaterThan(0)
    const bodies = []
    for (let i = 0; i < 4; i += 1) bodies.push((await send(ostiary.port, get())).body)
    expect(bodies.sort()).toEqual(['back', 'back', 'ok', 'ok'])
  })

  test('costs no WebSocket either', async () => {
    const { port } = await tcpUpstream((socket) => {
      socket.once('data', (data: Buffer) => {
        const key = /sec-websocket-key: (\S+)/i.exec(data.toString('latin1'))?.[1]
        const accept = createHash('sha1')
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest('base64')
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        )
      })
    })
    const { ostiary } = await start(manifests([await deadPort(), port]))
    const upgrade = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    for (let i = 0; i < 2; i += 1) expect((await send(ostiary.port, get(upgrade))).status).toBe(101)
  })

  test('is asked all the same where it is the last', async () => {
    const { port, requests } = await breaking()
    const { ostiary } = await start(manifests([port]))
    for (let i = 0; i < 3; i += 1) expect((await send(ostiary.port, get())).status).toBe(502)
    expect(requests()).toBe(3)
  })

  test('does not rest for a request that cannot be forwarded', async () => {
    const one = await counted(ok)
    const two = await counted(ok)
    const { ostiary } = await start(manifests([one.port, two.port]))
    const unforwardable = 'GET /\u00a0 HTTP/1.1\r\nHost: app.example\r\n\r\n'
    for (let i = 0; i < 4; i += 1) expect((await send(ostiary.port, unforwardable)).status).toBe(400)
    for (let i = 0; i < 4; i += 1) await send(ostiary.port, get())
    expect([one.methods.length, two.methods.length]).toEqual([2, 2])
  })
})

describe('without retries', () => {
  test('a request that was broken off is not repeated', async () => {
    const { port, requests } = await breaking()
    const { ostiary } = await start(manifests([port, port]))
    expect((await send(ostiary.port, get())).status).toBe(502)
    expect(requests()).toBe(1)
  })

  test('a 503 is relayed', async () => {
    const { port, methods } = await counted((_, response) => response.writeHead(503).end('busy'))
    const { ostiary } = await start(manifests([port]))
    expect(await send(ostiary.port, get())).toMatchObject({ status: 503, body: 'busy' })
    expect(methods).toHaveLength(1)
  })

  test('"0" takes even other endpoints away', async () => {
    const { port } = await counted(ok)
    const { ostiary } = await start(manifests([await deadPort(), port], { retries: '0' }))
    const statuses = [(await send(ostiary.port, get())).status, (await send(ostiary.port, get())).status]
    expect(statuses).toContain(200)
    expect(statuses).toContain(502)
  })
})

describe('an HTTP/2 upstream that says it has not looked at a request', () => {
  test.each([
    ['by GOAWAY', (stream: ServerHttp2Stream) => stream.session?.goaway(0, 1)],
    ['by REFUSED_STREAM', (stream: ServerHttp2Stream) => stream.close(7)],
  ])('%s gets it again, whatever the method, and goes on with the others', async (_, refuse) => {
    const bodies: string[] = []
    let first: ServerHttp2Stream | undefined
    let refused = 0
    const { port } = await http2Upstream((stream, headers) => {
      if (headers[':method'] === 'GET') {
        first = stream
        return
      }
      if (refused === 0) {
        refused += 1
        refuse(stream)
        return
      }
      let body = ''
      stream.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
      stream.on('end', () => {
        bodies.push(body)
        stream.respond({ ':status': 200 })
        stream.end('done')
      })
    })
    const ostiary = await startOstiary(manifests([port], { 'backend-protocol': 'GRPC' }))
    const held = send(ostiary.port, get())
    await expect.poll(() => first).toBeDefined()
    expect(await send(ostiary.port, POST)).toMatchObject({ status: 200, body: 'done' })
    expect(refused).toBe(1)
    expect(bodies).toEqual(['hi'])
    first?.respond({ ':status': 200 })
    first?.end('held')
    expect(await held).toMatchObject({ status: 200, body: 'held' })
  })

  test('by any other code does not', async () => {
    let streams = 0
    const { port } = await http2Upstream((stream) => {
      streams += 1
      stream.close(2)
    })
    const ostiary = await startOstiary(manifests([port], { 'backend-protocol': 'GRPC', retries: '2' }))
    expect((await send(ostiary.port, POST)).status).toBe(502)
    expect(streams).toBe(1)
  })
})

describe('with retries', () => {
  const ON_STATUS = { retries: '2', 'retry-on': 'connect-failure, reset, 503' }

  test('a GET goes to another endpoint after a status that is listed', async () => {
    const bad = await counted((_, response) => response.writeHead(503).end('busy'))
    const good = await counted(ok)
    const { ostiary } = await start(manifests([bad.port, good.port], ON_STATUS))
    for (let i = 0; i < 4; i += 1)
      expect(await send(ostiary.port, get())).toMatchObject({ status: 200, body: 'ok' })
    expect(bad.methods.length).toBeGreaterThan(0)
    expect(good.methods).toHaveLength(4)
  })

  test('counts what it sends again, by the reason', async () => {
    const bad = await counted((_, response) => response.writeHead(503).end('busy'))
    const good = await counted(ok)
    const { ostiary } = await start(manifests([bad.port, good.port, await deadPort()], ON_STATUS))
    for (let i = 0; i < 6; i += 1) expect((await send(ostiary.port, get())).status).toBe(200)
    const family = ostiary.metrics().find(({ name }) => name === 'ostiary_upstream_retries_total')
    const labels = { namespace: 'default', ingress: 'app', service: 'web' }
    expect(family?.values).toContainEqual({ value: bad.methods.length, labels: { ...labels, reason: '503' } })
    expect(family?.values).toContainEqual({ value: 1, labels: { ...labels, reason: 'connect-failure' } })
  })

  test('the only endpoint is asked again, after a while that grows, so many times', async () => {
    const { port, methods } = await counted((_, response) => response.writeHead(503).end('busy'))
    const { ostiary, timers } = await start(manifests([port], ON_STATUS))
    const answered = send(ostiary.port, get())
    for (const delayMs of [25, 50]) {
      await expect.poll(() => timers.nextInMs).toBe(delayMs)
      timers.advance(delayMs)
    }
    expect(await answered).toMatchObject({ status: 503, body: 'busy' })
    expect(methods).toHaveLength(3)
  })

  test.each([
    ['a POST', POST, 'POST'],
    [
      'a PUT with a body that is too long to be kept',
      `PUT / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 65537\r\n\r\n${'x'.repeat(65_537)}`,
      'PUT',
    ],
    ['a PATCH', POST.replace('POST', 'PATCH'), 'PATCH'],
  ])('%s is not repeated after a status', async (_, request, method) => {
    const { port, methods } = await counted((__, response) => response.writeHead(503).end('busy'))
    const { ostiary } = await start(manifests([port, await deadPort()], ON_STATUS))
    const responses = [await send(ostiary.port, request), await send(ostiary.port, request)]
    expect(responses).toMatchObject([{ status: 503 }, { status: 503 }])
    expect(methods).toEqual([method, method])
  })

  test.each([2, 65_536])('a PUT with a body of %i bytes is repeated with all of it', async (length) => {
    const bodies: string[] = []
    const upstreams = [1, 2].map(() =>
      httpUpstream((request, response) => {
        let body = ''
        request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
        request.on('end', () => {
          bodies.push(body)
          response.writeHead(bodies.length === 1 ? 503 : 200).end()
        })
      }),
    )
    const { ostiary } = await start(manifests(await Promise.all(upstreams), ON_STATUS))
    const body = Array.from({ length }, (_, index) => String(index % 10)).join('')
    const request = `PUT / HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${length}\r\n\r\n${body}`
    expect((await send(ostiary.port, request)).status).toBe(200)
    expect(bodies).toEqual([body, body])
  })

  test('a PUT that is broken off in its middle goes on elsewhere from its beginning', async () => {
    const bad = await breaking()
    const bodies: string[] = []
    let begun = 0
    const good = await httpUpstream((request, response) => {
      begun += 1
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
      request.on('end', () => {
        bodies.push(body)
        response.end('whole')
      })
    })
    const { ostiary } = await start(manifests([bad.port, good], { retries: '1' }))
    for (const sent of [1, 2]) {
      const client = await RawClient.open(ostiary.port)
      client.write('PUT / HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
      await expect.poll(() => begun).toBe(sent)
      client.write('7\r\n, later\r\n0\r\n\r\n')
      expect((await client.response()).body).toBe('whole')
      expect(bodies).toHaveLength(sent)
      client.close()
    }
    expect(bodies).toEqual(['first, later', 'first, later'])
    expect(bad.requests()).toBe(1)
  })

  test('another status than those listed is relayed', async () => {
    const { port, methods } = await counted((_, response) => response.writeHead(502).end('bad'))
    const { ostiary } = await start(manifests([port], ON_STATUS))
    expect(await send(ostiary.port, get())).toMatchObject({ status: 502, body: 'bad' })
    expect(methods).toHaveLength(1)
  })

  test('a GET that was broken off is repeated, a POST is not', async () => {
    const bad = await breaking()
    const good = await counted(ok)
    const { ostiary } = await start(manifests([bad.port, good.port], { retries: '1' }))
    expect((await send(ostiary.port, get())).status).toBe(200)
    expect((await send(ostiary.port, get())).status).toBe(200)
    expect(bad.requests()).toBe(1)
    const alone = await start(manifests([bad.port], { retries: '1' }))
    expect((await send(alone.ostiary.port, POST)).status).toBe(502)
    expect(bad.requests()).toBe(2)
  })

  test('an upstream that is down gets no multiple of its requests', async () => {
    const one = await counted((_, response) => response.writeHead(503).end())
    const two = await counted((_, response) => response.writeHead(503).end())
    const { ostiary } = await start(manifests([one.port, two.port], { retries: '1', 'retry-on': '503' }))
    const requests = 200
    for (let i = 0; i < requests; i += 1) expect((await send(ostiary.port, get())).status).toBe(503)
    const seen = one.methods.length + two.methods.length
    expect(seen).toBeGreaterThan(requests)
    // A quarter more, and the reserve with what it earns.
    expect(seen).toBeLessThanOrEqual(requests * 1.25 + 25)
  })

  test('of the Ingress count before those of the Service', async () => {
    const { port, methods } = await counted((_, response) => response.writeHead(503).end())
    const { ostiary } = await start(manifests([port], ON_STATUS, { retries: '0' }))
    expect((await send(ostiary.port, get())).status).toBe(503)
    expect(methods).toHaveLength(1)
  })

  test.each([
    ['a condition that is none', { retries: '1', 'retry-on': 'timeout' }],
    ['a number that is none', { retries: 'many' }],
    ['too many', { retries: '11' }],
    ['conditions without a number', { 'retry-on': 'reset' }],
  ])('%s closes the route', async (_, annotations) => {
    const { port, methods } = await counted(ok)
    const { ostiary } = await start(manifests([port], annotations))
    expect((await send(ostiary.port, get())).status).toBe(503)
    expect(methods).toEqual([])
    expect(ostiary.result().diagnostics[0]).toMatchObject({ reason: 'InvalidAnnotation', severity: 'error' })
  })
})
