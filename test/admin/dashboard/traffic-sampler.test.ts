import { expect, test } from 'vitest'
import { TrafficSampler, type ThreadTraffic } from '../../../src/admin/dashboard/traffic-sampler.ts'
import { LATENCY_BOUNDS } from '../../../src/observability/bucket-histogram.ts'
import { RequestTotals } from '../../../src/observability/request-totals.ts'
import { ManualTimers } from '../../support/manual-timers.ts'

class Threads {
  readonly living = new Map<string, RequestTotals>()
  readonly busy = new Set<string>()
  requestsInFlight = 0

  start(name: string): RequestTotals {
    const totals = new RequestTotals(LATENCY_BOUNDS.length + 1)
    this.living.set(name, totals)
    return totals
  }

  report(): Map<string, ThreadTraffic> {
    const { requestsInFlight } = this
    return new Map(
      [...this.living]
        .filter(([name]) => !this.busy.has(name))
        .map(([name, totals]) => [name, { totals: totals.read(), requestsInFlight, openConnections: 2 }]),
    )
  }
}

async function sampling(threads: Threads) {
  const timers = new ManualTimers()
  const sampler = new TrafficSampler({
    clock: timers,
    timers,
    ask: () => Promise.resolve(threads.report()),
    threads: () => [...threads.living.keys()],
  })
  await sampler.start()
  return {
    sampler,
    timers,
    look: async (): Promise<void> => {
      timers.advance(5000)
      await Promise.resolve()
      await Promise.resolve()
    },
  }
}

test('a sample is what happened since the one before, of all threads together', async () => {
  const threads = new Threads()
  const [one, other] = [threads.start('one'), threads.start('other')]
  one.finished(200, 0)
  const { sampler, timers, look } = await sampling(threads)
  for (let i = 0; i < 10; i += 1) one.finished(200, 2)
  other.finished(404, 2)
  other.finished(503, 2)
  other.decided('refuse')
  threads.requestsInFlight = 3
  await look()
  await look()
  const { intervalMs, samples } = sampler.history()
  expect(intervalMs).toBe(5000)
  expect(samples).toHaveLength(2)
  expect(samples[0]).toMatchObject({
    atMs: timers.now() - 5000,
    requestsPerSecond: 12 / 5,
    clientErrorsPerSecond: 1 / 5,
    serverErrorsPerSecond: 1 / 5,
    p50Ms: 3.75,
    decisionsPerSecond: { allow: 0, redirect: 0, respond: 0, refuse: 1 / 5, unavailable: 0 },
    requestsInFlight: 6,
    openConnections: 4,
  })
  expect(samples[1]).toMatchObject({ requestsPerSecond: 0, serverErrorsPerSecond: 0 })
  expect(samples[1]).not.toHaveProperty('p50Ms')
})

test('a thread that dies takes nothing away, and the one that replaces it counts from its start', async () => {
  const threads = new Threads()
  const one = threads.start('one')
  for (let i = 0; i < 100; i += 1) one.finished(200, 0)
  const { sampler, look } = await sampling(threads)
  threads.living.delete('one')
  threads.start('two').finished(200, 0)
  await look()
  expect(sampler.history().samples.map(({ requestsPerSecond }) => requestsPerSecond)).toEqual([1 / 5])
})

test('a thread that is too busy to answer is counted when it answers again', async () => {
  const threads = new Threads()
  const one = threads.start('one')
  one.finished(200, 0)
  const { sampler, look } = await sampling(threads)
  one.finished(200, 0)
  threads.busy.add('one')
  await look()
  threads.busy.delete('one')
  await look()
  expect(sampler.history().samples.map(({ requestsPerSecond }) => requestsPerSecond)).toEqual([0, 1 / 5])
})

test('a quarter of an hour is kept', async () => {
  const threads = new Threads()
  const { sampler, timers, look } = await sampling(threads)
  for (let i = 0; i < 200; i += 1) await look()
  const { samples } = sampler.history()
  expect(samples).toHaveLength(180)
  expect(samples.at(-1)?.atMs).toBe(timers.now())
  expect(samples[0]?.atMs).toBe(timers.now() - 179 * 5000)
})

test('nothing is looked at after the stop', async () => {
  const { sampler, timers } = await sampling(new Threads())
  sampler.stop()
  expect(timers.pending).toBe(0)
})
