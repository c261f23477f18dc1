import { describe, expect, test } from 'vitest'
import type { ClientLimits } from '../../../src/proxy/client-limits.ts'
import { FLAG, FRAME, fieldSection, RawHttp2Client, type Field } from '../../support/raw-http2.ts'
import { everythingOn, upstream } from '../support.ts'
import { ask, httpsProxy, open } from './support.ts'

const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'example.com'],
]

const UNKNOWN_HOST: readonly Field[] = [...GET.slice(0, 3), [':authority', 'unknown.example']]

async function start(limits: Partial<ClientLimits> = {}): Promise<{ https: number; requests: () => number }> {
  let requests = 0
  const { port } = await upstream((message, response) => {
    requests += 1
    if (message.url !== '/held') response.end()
  })
  const { https } = await httpsProxy(everythingOn(port), { limits })
  return { https, requests: () => requests }
}

/** Whoever floods loses the connection; the others are served. */
async function expectCutOff(client: RawHttp2Client, https: number): Promise<void> {
  expect(await client.closed()).not.toBe(0)
  expect((await ask(await open(https))).status).toBe(200)
}

describe('a connection is cut off that', () => {
  test('begins requests and resets them at once (CVE-2023-44487)', async () => {
    const { https } = await start()
    const client = await RawHttp2Client.open(https)
    client.socket.cork()
    for (let i = 0; i < 1500; i += 1) {
      client.headers(2 * i + 1, UNKNOWN_HOST)
      client.frame(FRAME.reset, 0, 2 * i + 1, Buffer.of(0, 0, 0, 8))
    }
    client.socket.uncork()
    await expectCutOff(client, https)
  })

  test('never ends its field section (CVE-2024-27316)', async () => {
    const { https, requests } = await start()
    const client = await RawHttp2Client.open(https)
    client.frame(FRAME.headers, 0, 1, fieldSection(GET))
    for (let i = 0; i < 200; i += 1) client.frame(FRAME.continuation, 0, 1, fieldSection([[`x-${i}`, 'y']]))
    await expectCutOff(client, https)
    expect(requests()).toBe(1)
  })

  test.each([
    ['pings (CVE-2019-9512)', FRAME.ping, Buffer.alloc(8)],
    ['settings (CVE-2019-9515)', FRAME.settings, Buffer.alloc(0)],
  ])('sends %s and takes no answer', async (_name, type, payload) => {
    const { https } = await start()
    const client = await RawHttp2Client.open(https)
    client.socket.pause()
    const closed = new Promise((resolve) => client.socket.once('close', resolve))
    const flood = (): void => {
      for (let i = 0; i < 2000 && !client.socket.destroyed; i += 1) client.frame(type, 0, 0, payload)
      if (!client.socket.destroyed) setImmediate(flood)
    }
    flood()
    await closed
    expect((await ask(await open(https))).status).toBe(200)
  })

  test('sends frames of a body without a byte (CVE-2019-9518)', async () => {
    const { https } = await start()
    const client = await RawHttp2Client.open(https)
    client.headers(1, [[':path', '/held'], ...GET.filter(([name]) => name !== ':path')], FLAG.endHeaders)
    for (let i = 0; i < 5000; i += 1) client.frame(FRAME.data, 0, 1)
    await expectCutOff(client, https)
  })

  test('sends a frame that is too large', async () => {
    const { https } = await start()
    const client = await RawHttp2Client.open(https)
    client.frame(FRAME.data, 0, 1, Buffer.alloc(16_385))
    await expectCutOff(client, https)
  })
})

describe('a request is refused', () => {
  test('whose fields are small on the wire and large behind it', async () => {
    const { https, requests } = await start()
    const client = await RawHttp2Client.open(https)
    // One field of 4,000 bytes into the dynamic table, and 100 times its index (RFC 7541 §6.1).
    const large = Buffer.concat([Buffer.of(0x40), fieldSection([['x-large', 'y'.repeat(4000)]]).subarray(1)])
    client.frame(
      FRAME.headers,
      FLAG.endStream | FLAG.endHeaders,
      1,
      Buffer.concat([fieldSection(GET), large]),
    )
    expect(await client.end(1)).toEqual({ status: 200 })
    const bomb = Buffer.concat([fieldSection(GET), Buffer.alloc(4000, 0xbe)])
    client.frame(FRAME.headers, FLAG.endStream | FLAG.endHeaders, 3, bomb)
    expect(await client.end(3)).toEqual({ reset: 11 })
    client.headers(5, GET)
    expect(await client.end(5)).toEqual({ status: 200 })
    expect(requests()).toBe(2)
  })

  test('that is one more than a connection may have under way', async () => {
    const { https } = await start()
    const client = await RawHttp2Client.open(https)
    const held: readonly Field[] = [[':path', '/held'], ...GET.filter(([name]) => name !== ':path')]
    client.headers(1, GET)
    await client.end(1)
    for (let i = 1; i <= 101; i += 1) client.headers(2 * i + 1, held)
    const end = await client.end(203)
    expect([end.reset, end.goaway].some((code) => code === 7 || code === 1)).toBe(true)
  })
})

describe('a connection is closed that', () => {
  test('says nothing, or goes on saying nothing of use', async () => {
    const { https } = await start({ headerTimeoutMs: 100 })
    const [silent, pinging, dripping] = await Promise.all([1, 2, 3].map(() => RawHttp2Client.open(https)))
    pinging?.frame(FRAME.ping, 0, 0, Buffer.alloc(8))
    // Nothing may come between the parts of a field section.
    await expect.poll(() => dripping?.settingsAcks).toBe(1)
    dripping?.frame(FRAME.headers, 0, 1, fieldSection(GET))
    expect(await Promise.all([silent?.closed(), pinging?.closed(), dripping?.closed()])).toEqual([0, 0, 0])
    expect(pinging?.pongs).toBe(1)
  })

  test('has had no request for a while', async () => {
    const { https } = await start({ keepAliveMs: 60 })
    const client = await RawHttp2Client.open(https)
    client.headers(1, GET)
    expect(await client.end(1)).toEqual({ status: 200 })
    expect(await client.closed()).toBe(0)
  })
})
