import { once } from 'node:events'
import { constants, type ClientHttp2Stream } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { ManualTimers } from '../../support/manual-timers.ts'
import { FLAG, FRAME, RawHttp2Client, type Field } from '../../support/raw-http2.ts'
import { bodyOf, everythingOn, tcpUpstream, upstream } from '../support.ts'
import { answerOf, ask, httpsProxy, open, request } from './support.ts'

const MEBIBYTE = 1_048_576
const WITH_BODY: readonly Field[] = [
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'example.com'],
]

/** An upstream that leaves its requests to the test. */
async function kept(): Promise<{
  port: number
  readonly next: () => Promise<[request: IncomingMessage, response: ServerResponse]>
}> {
  const waiting: [IncomingMessage, ServerResponse][] = []
  let wake = (): void => {}
  const { port } = await upstream((message, response) => {
    waiting.push([message, response])
    wake()
  })
  const next = async (): Promise<[IncomingMessage, ServerResponse]> => {
    for (;;) {
      const first = waiting.shift()
      if (first !== undefined) return first
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { port, next }
}

describe('a client that leaves', () => {
  test.each([
    ['before the answer', constants.NGHTTP2_CANCEL, false],
    ['inside the answer', constants.NGHTTP2_CANCEL, true],
    ['without calling it an error', constants.NGHTTP2_NO_ERROR, false],
  ])('%s ends the request upstream', async (_name, code, answered) => {
    const { port, next } = await kept()
    const { https } = await httpsProxy(everythingOn(port))
    const session = await open(https)
    const stream = request(session)
    const [message, response] = await next()
    if (answered) {
      response.write('begun')
      await once(stream, 'response')
    }
    stream.close(code)
    await once(message.socket, 'close')
    // The connection goes on.
    const other = request(session)
    ;(await next())[1].end('other')
    expect((await answerOf(other)).body).toBe('other')
  })

  test.each([
    ['CANCEL', constants.NGHTTP2_CANCEL, 'POST'],
    ['NO_ERROR', constants.NGHTTP2_NO_ERROR, 'POST'],
    ['NO_ERROR, asking with HEAD,', constants.NGHTTP2_NO_ERROR, 'HEAD'],
  ])('inside its body with %s never lets the half pass for the whole', async (_name, code, method) => {
    const { port, next } = await kept()
    const { https } = await httpsProxy(everythingOn(port))
    const client = await RawHttp2Client.open(https)
    client.headers(1, [[':method', method], ...WITH_BODY], FLAG.endHeaders)
    client.frame(FRAME.data, 0, 1, 'half')
    const [message] = await next()
    let received = ''
    let isWhole = false
    message.on('data', (chunk: Buffer) => {
      received += String(chunk)
      if (received === 'half') client.frame(FRAME.reset, 0, 1, Buffer.of(0, 0, 0, code))
    })
    message.on('end', () => {
      isWhole = true
    })
    message.on('error', () => {})
    await new Promise((resolve) => message.once('close', resolve))
    expect([received, isWhole]).toEqual(['half', false])
  })

  test('with its whole connection ends all of its requests', async () => {
    const { port, next } = await kept()
    const { https } = await httpsProxy(everythingOn(port))
    const session = await open(https)
    request(session)
    request(session, { ':method': 'POST' }, false).write('half')
    const [[one], [other]] = [await next(), await next()]
    for (const each of [one, other]) each.on('error', () => {})
    session.destroy()
    await Promise.all(
      [one, other].map((each) => new Promise((resolve) => each.socket.once('close', resolve))),
    )
  })
})

describe('an upstream', () => {
  test.each([
    ['that says a length', 'Content-Length: 100'],
    ['that sends chunks', 'Transfer-Encoding: chunked'],
  ])('%s and breaks off resets the stream alone', async (_name, framing) => {
    let upstreamSocket: Socket | undefined
    const { port } = await tcpUpstream((socket) => {
      upstreamSocket = socket
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n5\r\nhello\r\n`))
    })
    const { https } = await httpsProxy(everythingOn(port))
    const session = await open(https)
    const stream = request(session)
    const closed = once(stream, 'close').catch(() => {})
    await once(stream, 'response')
    stream.resume()
    upstreamSocket?.destroy()
    await closed
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR)
    expect(session.closed).toBe(false)
    expect((await ask(session, { ':authority': 'other.example' })).status).toBe(404)
  })

  test('that answers before the body is in has it stopped', async () => {
    const { port, next } = await kept()
    const { https } = await httpsProxy(everythingOn(port))
    const stream = request(await open(https), { ':method': 'POST' }, false)
    stream.write('half')
    const [, response] = await next()
    response.writeHead(413, { 'content-length': 5 }).end('large')
    expect(await answerOf(stream)).toMatchObject({ status: 413, body: 'large' })
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR)
  })

  test('that sends events has each passed on at once', async () => {
    const { port, next } = await kept()
    const { https } = await httpsProxy(everythingOn(port))
    const stream = request(await open(https))
    const [, response] = await next()
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    await once(stream, 'response')
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      response.write(event)
      expect(String((await once(stream, 'data'))[0])).toBe(event)
    }
    response.end()
    stream.resume()
    await once(stream, 'close')
  })
})

describe('back-pressure', () => {
  test('of one slow reader holds neither the others up, nor all of the answer in memory', async () => {
    const sent = { bytes: 0, ended: false }
    const { port } = await upstream((message, response) => {
      if (message.url !== '/large') {
        response.end('small')
        return
      }
      const chunk = Buffer.alloc(MEBIBYTE)
      const write = (): void => {
        while (sent.bytes < 256 * MEBIBYTE) {
          sent.bytes += chunk.length
          if (!response.write(chunk)) return
        }
        sent.ended = true
        response.end()
      }
      response.on('drain', write)
      write()
    })
    const { https } = await httpsProxy(everythingOn(port))
    const session = await open(https)
    const slow: ClientHttp2Stream = request(session, { ':path': '/large' })
    slow.pause()
    await once(slow, 'response')
    for (let i = 0; i < 20; i += 1) expect((await ask(session)).body).toBe('small')
    expect(sent.ended).toBe(false)
    expect(sent.bytes).toBeLessThan(64 * MEBIBYTE)
    slow.close(constants.NGHTTP2_CANCEL)
  })

  test('of a slow upstream stops its upload alone', async () => {
    const { port } = await upstream(async (message, response) => {
      if (message.url === '/slow') message.pause()
      else response.end(await bodyOf(message))
    })
    const { https } = await httpsProxy(everythingOn(port))
    const session = await open(https)
    const slow = request(session, { ':method': 'POST', ':path': '/slow' }, false)
    const chunk = Buffer.alloc(65_536)
    let taken = 0
    const write = (): void => {
      if (taken === 64 * MEBIBYTE) return
      slow.write(chunk, () => {
        taken += chunk.length
        write()
      })
    }
    write()
    for (let i = 0; i < 20; i += 1) {
      expect((await ask(session, { ':method': 'POST' }, 'small')).body).toBe('small')
    }
    expect(taken).toBeLessThan(64 * MEBIBYTE)
    slow.close(constants.NGHTTP2_CANCEL)
  })

  test('lets large bodies through whole, both ways at once', async () => {
    const { port } = await upstream((message, response) => void message.pipe(response))
    const { https } = await httpsProxy(everythingOn(port))
    const session = await open(https)
    const body = Buffer.alloc(3 * MEBIBYTE, 'abcdefg')
    const answers = await Promise.all([1, 2, 3].map(() => ask(session, { ':method': 'POST' }, body)))
    for (const answer of answers) expect(answer.body === body.toString()).toBe(true)
  })
})

describe('when it drains', () => {
  test('a connection is told to go away, and ends with the requests under way', async () => {
    const { port, next } = await kept()
    const timers = new ManualTimers()
    const { https, server } = await httpsProxy(everythingOn(port), {}, timers)
    const [busy, idle] = [await open(https), await open(https)]
    const stream = request(busy)
    const [, response] = await next()
    const [toBusy, toIdle] = [once(busy, 'goaway'), once(idle, 'goaway')]
    const ended = [once(busy, 'close'), once(idle, 'close')]
    const closed = server.close({ drainMs: 60_000 })
    expect((await toBusy)[0]).toBe(constants.NGHTTP2_NO_ERROR)
    expect((await toIdle)[0]).toBe(constants.NGHTTP2_NO_ERROR)
    response.end('finished')
    expect((await answerOf(stream)).body).toBe('finished')
    await Promise.all([...ended, closed])
  })

  test('what does not finish in time is cut', async () => {
    const { port, next } = await kept()
    const timers = new ManualTimers()
    const { https, server } = await httpsProxy(everythingOn(port), {}, timers)
    const session = await open(https)
    const stream = request(session)
    await next()
    const cut = once(stream, 'close').catch(() => {})
    const closed = server.close({ drainMs: 60_000 })
    timers.advance(60_000)
    await Promise.all([cut, closed])
    expect(stream.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR)
  })
})
