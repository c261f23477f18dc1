import type { ServerResponse } from 'node:http'
import { createHash } from 'node:crypto'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ManualTimers } from '../../support/manual-timers.ts'
import { startOstiary } from '../../support/ostiary.ts'
import { RawClient } from '../../support/raw-http.ts'
import { tcpUpstream } from '../../proxy/support.ts'
import { get, http2Upstream, httpUpstream, manifests, send } from './support.ts'

async function open(port: number, request: string): Promise<RawClient> {
  const client = await RawClient.open(port)
  onTestFinished(() => client.close())
  client.write(request)
  return client
}

/** Answers nothing by itself. */
async function silent() {
  const held: ServerResponse[] = []
  const port = await httpUpstream((request, response) => {
    request.resume()
    held.push(response)
  })
  return { port, held }
}

async function start(text: string) {
  const timers = new ManualTimers()
  return { timers, ostiary: await startOstiary(text, { clock: timers, timers }) }
}

describe('max-connections', () => {
  const ONE = { 'max-connections': '1', 'max-pending-requests': '1' }

  test('lets one request at a time to an endpoint, one wait, and refuses the next with Retry-After', async () => {
    const { port, held } = await silent()
    const { ostiary, timers } = await start(manifests([port], ONE))
    const first = await open(ostiary.port, get())
    await expect.poll(() => held.length).toBe(1)
    const second = await open(ostiary.port, get())
    await expect.poll(() => timers.pending).toBe(1)
    const third = await send(ostiary.port, get())
    expect(third.status).toBe(503)
    expect(third.headers).toMatchObject({ 'retry-after': '1', 'content-type': 'application/problem+json' })
    expect(held).toHaveLength(1)
    held[0]?.end('first')
    expect((await first.response()).body).toBe('first')
    await expect.poll(() => held.length).toBe(2)
    held[1]?.end('second')
    expect((await second.response()).body).toBe('second')
  })

  test('holds for each endpoint', async () => {
    const [one, two] = [await silent(), await silent()]
    const { ostiary } = await start(manifests([one.port, two.port], { ...ONE, 'max-pending-requests': '0' }))
    await open(ostiary.port, get())
    await open(ostiary.port, get())
    await expect.poll(() => [one.held.length, two.held.length]).toEqual([1, 1])
    expect((await send(ostiary.port, get())).status).toBe(503)
  })

  test('is free again when a client leaves, whether it was served or waited', async () => {
    const { port, held } = await silent()
    const { ostiary } = await start(manifests([port], { ...ONE, 'max-pending-requests': '2' }))
    const first = await open(ostiary.port, get())
    await expect.poll(() => held.length).toBe(1)
    const waiting = await open(ostiary.port, get())
    const last = await open(ostiary.port, get())
    const gone = new Promise((resolve) => held[0]?.once('close', resolve))
    waiting.close()
    first.close()
    await gone
    await expect.poll(() => held.filter((each) => !each.destroyed).length).toBe(1)
    held.at(-1)?.end('mine')
    expect((await last.response()).body).toBe('mine')
  })

  test('lets nobody wait longer than a connection may take', async () => {
    const { port, held } = await silent()
    const { ostiary, timers } = await start(manifests([port], { ...ONE, 'connect-timeout': '3s' }))
    await open(ostiary.port, get())
    await expect.poll(() => held.length).toBe(1)
    const waiting = await open(ostiary.port, get())
    await expect.poll(() => timers.nextInMs).toBe(3000)
    timers.advance(3000)
    expect(await waiting.response()).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
  })

  test('counts a WebSocket until it is closed', async () => {
    let connections = 0
    const { port } = await tcpUpstream((socket) => {
      connections += 1
      socket.once('data', (data: Buffer) => {
        const key = /sec-websocket-key: (\S+)/i.exec(data.toString('latin1'))?.[1]
        const accept = createHash('sha1')
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest('base64')
        if (key === undefined)
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
        else {
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
          )
        }
      })
    })
    const { ostiary } = await start(manifests([port], { ...ONE, 'max-pending-requests': '0' }))
    const upgrade = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    const tunnel = await open(ostiary.port, get(upgrade))
    expect((await tunnel.response()).status).toBe(101)
    expect((await send(ostiary.port, get())).status).toBe(503)
    expect(connections).toBe(1)
    tunnel.close()
    await expect.poll(async () => (await send(ostiary.port, get())).status).toBe(200)
  })

  test('over HTTP/2 lets a connection carry many', async () => {
    const { port, sessions } = await http2Upstream((stream) => {
      stream.respond()
      stream.write('x')
    })
    const { ostiary } = await start(manifests([port], { ...ONE, 'backend-protocol': 'H2C' }))
    const clients = await Promise.all(Array.from({ length: 10 }, () => open(ostiary.port, get())))
    for (const client of clients) await client.until((text) => text.includes('1\r\nx\r\n'))
    expect(sessions.size).toBe(1)
  })

  test('says nothing of an upstream without it', async () => {
    const { port, held } = await silent()
    const { ostiary } = await start(manifests([port], {}))
    for (let i = 0; i < 20; i += 1) await open(ostiary.port, get())
    await expect.poll(() => held.length).toBe(20)
  })
})

describe('time-outs', () => {
  test('request-timeout is 504 before the headers, retries or not, and cancels the upstream', async () => {
    const { port, held } = await silent()
    const annotations = { 'request-timeout': '2s', retries: '3', 'retry-on': '503, reset' }
    const { ostiary, timers } = await start(manifests([port], annotations))
    const client = await open(ostiary.port, get())
    await expect.poll(() => held.length).toBe(1)
    const gone = new Promise((resolve) => held[0]?.once('close', resolve))
    timers.advance(1999)
    expect(client.pending).toBe('')
    timers.advance(1)
    expect((await client.response()).status).toBe(504)
    await gone
    expect(held).toHaveLength(1)
  })

  test('request-timeout ends a response that is half out, without the mark of a whole one', async () => {
    const { port, held } = await silent()
    const { ostiary, timers } = await start(manifests([port], { 'request-timeout': '2s' }))
    const client = await open(ostiary.port, get())
    await expect.poll(() => held.length).toBe(1)
    held[0]?.write('half')
    await client.until((text) => text.includes('half'))
    timers.advance(2000)
    expect(await client.closed()).not.toContain('0\r\n\r\n')
  })

  test('request-timeout leaves nothing behind after an answer, and lets a WebSocket be', async () => {
    const port = await httpUpstream((_, response) => response.end('ok'))
    const { ostiary, timers } = await start(manifests([port], { 'request-timeout': '2s' }))
    expect((await send(ostiary.port, get())).status).toBe(200)
    await expect.poll(() => timers.pending).toBe(0)
  })

  test.each([
    ['before the headers', (_: ServerResponse) => {}],
    ['inside the body', (response: ServerResponse) => response.write('half')],
  ])('read-timeout ends the silence of an upstream %s', async (where, answer) => {
    const port = await httpUpstream((_, response) => {
      answer(response)
    })
    const { ostiary } = await start(manifests([port], { 'read-timeout': '100ms' }))
    const client = await open(ostiary.port, get())
    if (where === 'before the headers') expect((await client.response()).status).toBe(504)
    else expect(await client.closed()).toContain('half')
  })

  test('connect-timeout is 504', async () => {
    // Its handshake is never answered.
    const { port } = await tcpUpstream(() => {})
    const { ostiary } = await start(
      manifests([port], { 'backend-protocol': 'HTTPS', 'connect-timeout': '100ms' }),
    )
    expect((await send(ostiary.port, get())).status).toBe(504)
  })

  test('send-timeout is 504 where the upstream takes no more of a body', async () => {
    const { port } = await tcpUpstream((socket) => socket.pause())
    const { ostiary } = await start(manifests([port], { 'send-timeout': '150ms' }))
    const client = await open(
      ostiary.port,
      'POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 50000000\r\n\r\n',
    )
    const piece = Buffer.alloc(1_000_000)
    for (let i = 0; i < 40; i += 1) client.write(piece)
    expect((await client.response()).status).toBe(504)
  })

  test('send-timeout does not count while the client is slow', async () => {
    let came: () => void = () => {}
    const hasCome = new Promise<void>((resolve) => {
      came = resolve
    })
    const port = await httpUpstream((request, response) => {
      request.once('data', () => came())
      request.resume().on('end', () => response.end('whole'))
    })
    const { ostiary } = await start(manifests([port], { 'send-timeout': '1s' }))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const client = await open(
      ostiary.port,
      'POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 4\r\n\r\nha',
    )
    await hasCome
    vi.advanceTimersByTime(30_000)
    client.write('lf')
    expect((await client.response()).body).toBe('whole')
  })

  test.each([
    ['no unit', { 'read-timeout': '30' }],
    ['nothing', { 'connect-timeout': '' }],
    ['no time', { 'request-timeout': '0s' }],
    ['days on end', { 'send-timeout': '1000h' }],
    ['no connection', { 'max-connections': '0' }],
    ['a queue without a limit', { 'max-pending-requests': '5' }],
  ])('%s closes the route', async (_, annotations) => {
    const { port, held } = await silent()
    const { ostiary } = await start(manifests([port], annotations))
    expect((await send(ostiary.port, get())).status).toBe(503)
    expect(held).toEqual([])
    expect(ostiary.result().diagnostics).toMatchObject([{ severity: 'error', reason: 'InvalidAnnotation' }])
  })
})
