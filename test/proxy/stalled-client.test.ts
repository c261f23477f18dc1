import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ManualTimers } from '../support/manual-timers.ts'
import { RawClient } from '../support/raw-http.ts'
import { everythingOn, GET, noAuthorizer, proxy, upstream } from './support.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const UNFINISHED = 'POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 10\r\n\r\nhalf'

test('a client that stalls inside its upload is told so, and cut off', async () => {
  let came: () => void = () => {}
  const hasCome = new Promise<void>((resolve) => {
    came = resolve
  })
  const { port } = await upstream((request) => request.on('error', () => {}).once('data', () => came()))
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(UNFINISHED)
  await hasCome
  vi.advanceTimersByTime(61_000)
  expect((await client.response()).status).toBe(408)
  expect(await client.closed()).toBe('')
})

test('a client that was refused and does not end its body is cut off', async () => {
  const running = await proxy(everythingOn())
  const client = await RawClient.open(running.port)
  client.write(UNFINISHED)
  expect((await client.response()).status).toBe(503)
  vi.advanceTimersByTime(31_000)
  expect(await client.closed()).toBe('')
})

test.each([
  ['without a body', GET],
  ['with its body', `${UNFINISHED}, half`],
])('a client that was refused %s keeps its connection', async (_, request) => {
  const running = await proxy(everythingOn())
  const client = await RawClient.open(running.port)
  client.write(request)
  expect((await client.response()).status).toBe(503)
  client.write(GET)
  expect((await client.response()).status).toBe(503)
  vi.advanceTimersByTime(31_000)
  client.write(GET)
  expect((await client.response()).status).toBe(503)
  client.close()
})

test('an upstream that is slow to read is not the fault of its client', async () => {
  let finish: () => void = () => {}
  let came: () => void = () => {}
  const hasCome = new Promise<void>((resolve) => {
    came = resolve
  })
  const { port } = await upstream((request, response) => {
    finish = () => request.on('data', () => {}).on('end', () => response.end('thanks'))
    came()
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  const size = 16 * 1024 * 1024
  client.write(`POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: ${size}\r\n\r\n`)
  client.write(Buffer.alloc(size))
  await hasCome
  // Until nothing moves any more: the buffers on the way are full.
  let before = -1
  while (client.socket.bytesWritten - client.socket.writableLength !== before) {
    before = client.socket.bytesWritten - client.socket.writableLength
    for (let i = 0; i < 200; i += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  vi.advanceTimersByTime(61_000)
  finish()
  expect(await client.response()).toMatchObject({ status: 200, body: 'thanks' })
  client.close()
})

test('a client that takes nothing of its answer is cut off, and lets go of the upstream', async () => {
  let left = false
  const { port } = await upstream((_, response) => {
    const chunk = Buffer.alloc(65_536)
    const write = (): void => {
      while (response.write(chunk));
    }
    response.on('drain', write).on('close', () => {
      left = true
    })
    write()
  })
  const timers = new ManualTimers()
  const running = await proxy(everythingOn(port), {}, noAuthorizer, timers)
  const client = await RawClient.open(running.port)
  client.write(GET)
  await client.until((text) => text.includes('200 OK'))
  client.socket.pause()
  await expect.poll(() => timers.pending).toBe(1)
  // Until nothing moves any more: the buffers on the way are full.
  for (let before = -1; before !== client.socket.bytesRead;) {
    before = client.socket.bytesRead
    for (let i = 0; i < 300; i += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  timers.advance(59_000)
  expect(left).toBe(false)
  timers.advance(2_000)
  await expect.poll(() => left).toBe(true)
  client.close()
})
