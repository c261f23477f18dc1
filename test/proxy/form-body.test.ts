import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { bufferedForm, type BufferedForm } from '../../src/proxy/form-body.ts'

interface Outcome {
  readonly form: BufferedForm
  /** What the request still gave afterwards. */
  readonly rest: string
}

let server: Server | undefined

afterEach(() => {
  server?.close()
  server?.closeAllConnections()
})

/** What becomes of the one request that `send` puts on the wire. */
async function outcome(send: (socket: Socket) => void | Promise<void>): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  const judge = async (request: IncomingMessage): Promise<Outcome> => {
    const form = await bufferedForm(request)
    return { form, rest: form.bytes === undefined ? await restOf(request) : '' }
  }
  server = createServer((request, response) => {
    judge(request)
      .then(resolve, reject)
      .finally(() => response.end())
  }).listen(0)
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port)
  socket.on('error', () => undefined)
  await send(socket)
  return promise
}

async function restOf(request: IncomingMessage): Promise<string> {
  const chunks = (await Readable.from(request).toArray()) as Buffer[]
  return Buffer.concat(chunks).toString('latin1')
}

function head(headers: readonly string[]): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

const FORM = 'Content-Type: application/x-www-form-urlencoded'
const CHUNKED = 'Transfer-Encoding: chunked'

describe('a short form', () => {
  test('is read, and its bytes are kept as they came', async () => {
    const body = 'client_id=a%20b&client_secret=x+y&client_id=c&%zz=\xe9'
    const { form } = await outcome((socket) => {
      socket.write(head([FORM, `Content-Length: ${body.length}`]) + body, 'latin1')
    })
    expect(form.params?.getAll('client_id')).toEqual(['a b', 'c'])
    expect(form.params?.get('client_secret')).toBe('x y')
    expect(form.bytes?.toString('latin1')).toBe(body)
  })

  test.each([
    'application/x-www-form-urlencoded;charset=UTF-8',
    'Application/X-WWW-Form-UrlEncoded ; charset=utf-8',
  ])('is one with %s', async (type) => {
    const { form } = await outcome((socket) => {
      socket.write(`${head([`Content-Type: ${type}`, 'Content-Length: 3'])}a=b`)
    })
    expect(form.params?.get('a')).toBe('b')
  })

  test('is read from chunks that come one by one', async () => {
    const { form } = await outcome(async (socket) => {
      await new Promise((resolve) => socket.write(head([FORM, CHUNKED]) + chunk('a=1&'), resolve))
      socket.write(`${chunk('b=2')}0\r\n\r\n`)
    })
    expect(form.bytes?.toString()).toBe('a=1&b=2')
    expect(form.params?.get('b')).toBe('2')
  })

  test('of exactly 8 KiB is read', async () => {
    const body = `a=${'x'.repeat(8190)}`
    const { form } = await outcome((socket) => {
      socket.write(`${head([FORM, CHUNKED]) + chunk(body)}0\r\n\r\n`)
    })
    expect(form.bytes?.length).toBe(8192)
  })
})

describe('everything else streams on from its first byte', () => {
  test.each([
    ['a longer form', [FORM, 'Content-Length: 8193'], `a=${'x'.repeat(8191)}`],
    ['another type', ['Content-Type: application/json', 'Content-Length: 2'], '{}'],
    [
      'a type that begins like a form',
      ['Content-Type: application/x-www-form-urlencoded2', 'Content-Length: 3'],
      'a=b',
    ],
    ['no type', ['Content-Length: 3'], 'a=b'],
    ['an encoded form', [FORM, 'Content-Encoding: gzip', 'Content-Length: 3'], 'a=b'],
    ['an empty form', [FORM, 'Content-Length: 0'], ''],
    ['a form without body', [FORM], ''],
  ])('%s', async (_, headers, body) => {
    const { form, rest } = await outcome((socket) => {
      socket.write(head(headers) + body)
    })
    expect(form).toEqual({})
    expect(rest).toBe(body)
  })

  test('a form that turns out longer, all there at once', async () => {
    const body = `a=${'x'.repeat(8191)}`
    const { form, rest } = await outcome((socket) => {
      socket.write(`${head([FORM, CHUNKED]) + chunk(body)}0\r\n\r\n`)
    })
    expect(form).toEqual({})
    expect(rest).toBe(body)
  })

  test('a form that turns out longer, piece by piece', async () => {
    const pieces = Array.from({ length: 60 }, (_, i) => String(i).padEnd(1000, '.'))
    const { form, rest } = await outcome(async (socket) => {
      socket.write(head([FORM, CHUNKED]))
      for (const piece of pieces) await new Promise((resolve) => socket.write(chunk(piece), resolve))
      socket.write('0\r\n\r\n')
    })
    expect(form).toEqual({})
    expect(rest).toBe(pieces.join(''))
  })
})

test('a body that breaks off is an error, not a form', async () => {
  await expect(
    outcome(async (socket) => {
      await new Promise((resolve) => socket.write(`${head([FORM, 'Content-Length: 10'])}a=b`, resolve))
      socket.destroy()
    }),
  ).rejects.toThrow()
})

test('so is a request that is given up while its body is read', async () => {
  const form = Promise.withResolvers<BufferedForm>()
  server = createServer((request) => {
    bufferedForm(request).then(form.resolve, form.reject)
    request.destroy()
  }).listen(0)
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port)
  socket.on('error', () => undefined)
  socket.write(`${head([FORM, 'Content-Length: 10'])}a=b`)
  await expect(form.promise).rejects.toThrow('before the body was complete')
})

test('a form that never comes to its end, however it drips, costs its client the connection', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const arrived = Promise.withResolvers<{ request: IncomingMessage; form: Promise<BufferedForm> }>()
  server = createServer((request) => arrived.resolve({ request, form: bufferedForm(request) })).listen(0)
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port)
  socket.on('error', () => undefined)
  socket.write(`${head([FORM, 'Content-Length: 10'])}a=`)
  const { request, form } = await arrived.promise
  const before = request.socket.bytesRead
  vi.advanceTimersByTime(29_000)
  socket.write('drip')
  while (request.socket.bytesRead === before) await new Promise((resolve) => setImmediate(resolve))
  vi.advanceTimersByTime(1_001)
  await expect(form).rejects.toThrow()
})
