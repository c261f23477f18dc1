import { createServer, type AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { onTestFinished, describe, expect, test, vi } from 'vitest'
import { AggregatorRegistry } from 'prom-client'
import { systemTimers, type Timers } from '../../src/clock.ts'
import { startThreadPool, type ThreadPool, type ThreadPoolOptions } from '../../src/proxy/thread-pool.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import type { Snapshot } from '../../src/table/routing-table.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { everythingOn, GET, silent, upstream } from './support.ts'

const CRASHING = new URL('./crashing-thread.ts', import.meta.url)
const BLOCKING = new URL('./blocking-thread.ts', import.meta.url)
const SILENT = new URL('./silent-thread.ts', import.meta.url)
const CRASHING_FOR_GOOD = new URL('./crashing-for-good-thread.ts', import.meta.url)

async function pool(
  options: Partial<ThreadPoolOptions> = {},
  entry?: URL,
  timers: Timers = systemTimers,
  onFailure: () => void = () => {},
): Promise<ThreadPool> {
  const started = await startThreadPool(
    { workers: 2, http: { port: 0 }, ...options },
    { log: silent, serveBroker: () => {}, timers, onFailure, ...(entry !== undefined && { entry }) },
  )
  onTestFinished(() => started.close({ drainMs: 0 }))
  return started
}

describe('two threads', () => {
  test('share a port, answer 503 until the first publish, and all run on it when it is acknowledged', async () => {
    const one = await upstream((_, response) => response.end('one'))
    const threads = await pool()
    const port = threads.ports.http ?? 0
    expect((await rawRequest(port, GET)).status).toBe(503)
    await threads.publish(everythingOn(one.port))
    for (let i = 0; i < 20; i += 1) {
      expect(await rawRequest(port, GET)).toMatchObject({ status: 200, body: 'one' })
    }
    const metrics = await threads.metrics()
    expect(metrics).toHaveLength(2)
    const text = await AggregatorRegistry.aggregate(metrics).metrics()
    expect(text).toMatch(
      /ostiary_http_requests_total\{namespace="default",ingress="web",service="web",method="GET",code="200"\} 20/,
    )
    for (const cache of ['decisions', 'tokens', 'introspection', 'client_credentials', 'sessions']) {
      for (const name of ['entries', 'hits_total', 'misses_total']) {
        expect(text).toContain(`ostiary_cache_${name}{cache="${cache}"} 0`)
      }
    }
    expect(text).toMatch(/ostiary_http_request_duration_seconds_count\{[^}]*service="web"[^}]*\} 20/)
  })

  test('finish what they have when they are closed', async () => {
    let finish: (() => void) | undefined
    let came: () => void = () => {}
    const hasCome = new Promise<void>((resolve) => {
      came = resolve
    })
    const slow = await upstream((_, response) => {
      finish = () => response.end('finished')
      came()
    })
    const threads = await pool()
    await threads.publish(everythingOn(slow.port))
    const client = await RawClient.open(threads.ports.http ?? 0)
    client.write(GET)
    await hasCome
    const closed = threads.close({ drainMs: 5000 })
    finish?.()
    expect((await client.response()).body).toBe('finished')
    await closed
    await expect(RawClient.open(threads.ports.http ?? 0)).rejects.toThrow(/ECONNREFUSED/)
  })
})

test('threads that drain take snapshots until their end: what comes on connections that stay goes where it should', async () => {
  const [one, two] = [
    await upstream((_, response) => response.end('one')),
    await upstream((_, response) => response.end('two')),
  ]
  const threads = await pool()
  await threads.publish(everythingOn(one.port))
  const client = await RawClient.open(threads.ports.http ?? 0)
  client.write(GET)
  expect((await client.response()).body).toBe('one')
  const closed = threads.close({ drainMs: 60_000 })
  await threads.publish(everythingOn(two.port))
  client.write(GET)
  const { body, headers } = await client.response()
  expect([body, headers['connection']]).toEqual(['two', 'close'])
  await closed
  // Nobody is left to wait for.
  await threads.publish(everythingOn(one.port))
})

test('https works with a certificate made at the start, and a session of one thread is resumed by the other', async () => {
  const one = await upstream((_, response) => response.end('one'))
  const threads = await pool({ https: { port: 0 } })
  await threads.publish(everythingOn(one.port))
  let session: Buffer | undefined
  for (let i = 0; i < 12; i += 1) {
    const client = await RawClient.openTls({
      port: threads.ports.https ?? 0,
      servername: 'example.com',
      maxVersion: 'TLSv1.2',
      ...(session !== undefined && { session }),
    })
    const socket = client.socket as TLSSocket
    expect(socket.isSessionReused()).toBe(i > 0)
    session = socket.getSession()
    client.write(GET)
    expect(await client.response()).toMatchObject({ status: 200, body: 'one' })
    client.close()
  }
})

test('a thread that dies is replaced, with the newest snapshot', async () => {
  const one = await upstream((_, response) => response.end('one'))
  const onFailure = vi.fn<() => void>()
  const threads = await pool({ workers: 1 }, CRASHING, systemTimers, onFailure)
  const port = threads.ports.http ?? 0
  const guarded = aRoute('web', {
    path: '/crash',
    action: { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] },
  })
  const snapshot = aSnapshot(aTable([aHost('example.com', [guarded, aRoute('web')])], { web: [one.port] }))
  await threads.publish(snapshot)
  await expect(rawRequest(port, GET.replace('/ ', '/crash '))).rejects.toThrow(/connection ended/)
  await vi.waitFor(
    async () => expect(await rawRequest(port, GET)).toMatchObject({ status: 200, body: 'one' }),
    { timeout: 20_000, interval: 100 },
  )
  expect(onFailure).toHaveBeenCalledTimes(1)
  await threads.close({ drainMs: 0 })
  expect(onFailure).toHaveBeenCalledTimes(1)
})

test('of all connections only those of the dead thread end', async () => {
  const one = await upstream((_, response) => response.end('one'))
  const threads = await pool({}, CRASHING)
  const port = threads.ports.http ?? 0
  await threads.publish(guardedBeside('/crash', one.port))
  // Which thread has a connection is the system's choice: that one of them has all is less likely than 1 in 500,000.
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(port)))
  onTestFinished(() => {
    for (const client of clients) client.close()
  })
  for (const client of clients) {
    client.write(GET)
    expect(await client.response()).toMatchObject({ status: 200, body: 'one' })
  }
  clients[0]?.write(GET.replace('/ ', '/crash '))
  await clients[0]?.closed()
  const answers = await Promise.all(
    clients.map(async (client) => {
      client.write(GET)
      return client.response().catch(() => undefined)
    }),
  )
  const living = answers.filter((answer) => answer !== undefined)
  expect(living.length).toBeGreaterThan(0)
  expect(living.length).toBeLessThan(20)
  for (const answer of living) expect(answer).toMatchObject({ status: 200, body: 'one' })
})

test('a thread that dies over and over does not keep the others from new snapshots', async () => {
  const [one, two] = [
    await upstream((_, response) => response.end('one')),
    await upstream((_, response) => response.end('two')),
  ]
  const threads = await pool({}, CRASHING_FOR_GOOD)
  const port = threads.ports.http ?? 0
  const guarded = aRoute('web', {
    path: '/crash',
    action: { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] },
  })
  await threads.publish(
    aSnapshot(aTable([aHost('example.com', [guarded, aRoute('web')])], { web: [one.port] })),
  )
  await expect(rawRequest(port, GET.replace('/ ', '/crash '))).rejects.toThrow(/connection ended/)
  await threads.publish(everythingOn(two.port))
  expect(await rawRequest(port, GET)).toMatchObject({ status: 200, body: 'two' })
})

/** A route that is asked for authorization, beside an open one. */
function guardedBeside(path: string, port: number): Snapshot {
  const action = { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] } as const
  const guarded = aRoute('web', { path, action })
  return aSnapshot(aTable([aHost('example.com', [guarded, aRoute('web')])], { web: [port] }))
}

test('a thread whose loop is stuck is told by name, and its metrics as they were, until it goes on', async () => {
  const one = await upstream((_, response) => response.end('one'))
  const timers = new ManualTimers()
  const threads = await pool({}, BLOCKING, timers)
  const port = threads.ports.http ?? 0
  await threads.publish(guardedBeside('/block', one.port))
  await rawRequest(port, GET)
  await vi.waitFor(async () => expect(await requestsOf(threads)).toBe(1))

  const blocked = await RawClient.open(port)
  blocked.write(GET.replace('/ ', '/block '))
  onTestFinished(() => blocked.close())
  const live = threads.publish(guardedBeside('/block', one.port))
  // Half a minute goes by in beats, which the other thread answers.
  await vi.waitFor(
    () => {
      timers.advance(5000)
      expect(threads.stuck()).toEqual([
        expect.stringMatching(/^proxy thread [12] has not answered for \d+ s$/),
      ])
    },
    { timeout: 15_000, interval: 50 },
  )
  // The other thread does not wait for it.
  await live
  await threads.publish(guardedBeside('/block', one.port))
  const told = requestsOf(threads)
  timers.advance(2000)
  expect(await told).toBe(1)

  new BroadcastChannel('unblock').postMessage('go')
  await vi.waitFor(
    () => {
      timers.advance(5000)
      expect(threads.stuck()).toEqual([])
    },
    { timeout: 15_000, interval: 50 },
  )
})

test('a thread that does not come up has two minutes, and is stuck then', async () => {
  const one = await upstream((_, response) => response.end('one'))
  const timers = new ManualTimers()
  const threads = await pool({ workers: 1 }, SILENT, timers)
  await threads.publish(guardedBeside('/crash', one.port))
  const crash = rawRequest(threads.ports.http ?? 0, GET.replace('/ ', '/crash '))
  await expect(crash).rejects.toThrow(/connection ended/)
  // Beat by beat, also while there is no thread at all.
  await vi.waitFor(
    () => {
      timers.advance(5000)
      expect(threads.stuck()).not.toEqual([])
    },
    { timeout: 15_000, interval: 20 },
  )
  expect(threads.stuck()).toEqual(['proxy thread 2 has not answered for 120 s'])
})

test('what a dead thread had counted stays in the sum, so that no counter goes backwards', async () => {
  const one = await upstream((_, response) => response.end('one'))
  const threads = await pool({}, CRASHING)
  const port = threads.ports.http ?? 0
  await threads.publish(guardedBeside('/crash', one.port))
  for (let i = 0; i < 20; i += 1) await rawRequest(port, GET)
  await vi.waitFor(async () => expect(await requestsOf(threads)).toBe(20))
  await expect(rawRequest(port, GET.replace('/ ', '/crash '))).rejects.toThrow(/connection ended/)
  // The listening socket of the dead thread may outlive the connection by a moment.
  for (let i = 0; i < 5; i += 1) await vi.waitFor(() => rawRequest(port, GET))
  await vi.waitFor(async () => expect(await requestsOf(threads)).toBe(25))
  const text = await AggregatorRegistry.aggregate(await threads.metrics()).metrics()
  expect(text).toMatch(/ostiary_http_request_duration_seconds_count\{[^}]*service="web"[^}]*\} 25/)

  await threads.publish(everythingElse())
  const after = await AggregatorRegistry.aggregate(await threads.metrics()).metrics()
  expect(after).not.toMatch(/service="web"/)
})

/** A table without the route `web`. */
function everythingElse(): Snapshot {
  return aSnapshot(aTable([aHost('example.com', [aRoute('other')])], { other: [] }))
}

/** How many requests of the route `web` all threads answered with 200. */
async function requestsOf(threads: ThreadPool): Promise<number> {
  const text = await AggregatorRegistry.aggregate(await threads.metrics()).metrics()
  return Number(/ostiary_http_requests_total\{[^}]*service="web"[^}]*code="200"\} (\d+)/.exec(text)?.[1] ?? 0)
}

test('a port that somebody else has is an error with place and remedy', async () => {
  const stranger = createServer()
  await new Promise<void>((resolve) => {
    stranger.listen(0, '0.0.0.0', resolve)
  })
  onTestFinished(() => void stranger.close())
  const { port } = stranger.address() as AddressInfo
  await expect(pool({ http: { port } })).rejects.toMatchObject({
    code: 'ERR_LISTEN',
    message: expect.stringMatching(
      new RegExp(`:${port}: another process has this port; .* choose another port`),
    ),
  })
})

test('a stranger who shares ports is noticed all the same', async () => {
  const stranger = createServer()
  await new Promise<void>((resolve) => {
    stranger.listen({ port: 0, host: '::', reusePort: true }, resolve)
  })
  onTestFinished(() => void stranger.close())
  const { port } = stranger.address() as AddressInfo
  await expect(pool({ http: { port } })).rejects.toMatchObject({ code: 'ERR_LISTEN' })
})

test('an address that this machine lacks is an error', async () => {
  await expect(pool({ http: { port: 18_080, host: '192.0.2.1' } })).rejects.toMatchObject({
    code: 'ERR_LISTEN',
    message: expect.stringContaining('192.0.2.1:18080'),
  })
})
