import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createRateLimitClient, serveRateLimits } from '../../src/proxy/traffic/rate-limit-port.ts'
import { createRateLimiter, type Count, type RateLimiter } from '../../src/proxy/traffic/rate-limiter.ts'
import { ManualClock } from '../support/manual-clock.ts'

const count = (key: string, requests: number, windowSeconds = 60): Count => ({ key, requests, windowSeconds })

async function admitted(limiter: RateLimiter, ...counts: Count[]): Promise<boolean> {
  return (await limiter.count(counts)).at(-1)?.admitted ?? false
}

describe('a limiter', () => {
  // The library reads the time itself.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: 0 }))
  afterEach(() => void vi.useRealTimers())

  test('admits so many requests in a window, and as many in the next', async () => {
    const limiter = createRateLimiter()
    expect(await limiter.count([count('a', 2)])).toEqual([{ admitted: true, remaining: 1, resetMs: 60_000 }])
    vi.setSystemTime(10_000)
    expect(await limiter.count([count('a', 2)])).toEqual([{ admitted: true, remaining: 0, resetMs: 50_000 }])
    expect(await limiter.count([count('a', 2)])).toEqual([{ admitted: false, remaining: 0, resetMs: 50_000 }])
    vi.setSystemTime(59_999)
    expect(await admitted(limiter, count('a', 2))).toBe(false)
    vi.setSystemTime(60_001)
    expect(await admitted(limiter, count('a', 2))).toBe(true)
  })

  test('counts keys and rates apart', async () => {
    const limiter = createRateLimiter()
    expect(await admitted(limiter, count('a', 1))).toBe(true)
    expect(await admitted(limiter, count('a', 1))).toBe(false)
    expect(await admitted(limiter, count('b', 1))).toBe(true)
    expect(await admitted(limiter, count('a', 1, 30))).toBe(true)
  })

  test('counts against no limit behind one that refuses', async () => {
    const limiter = createRateLimiter()
    const both = [count('short', 1), count('long', 3, 3600)]
    expect(await limiter.count(both)).toHaveLength(2)
    expect(await limiter.count(both)).toHaveLength(1)
    expect(await limiter.count([both[1]!])).toMatchObject([{ remaining: 1 }])
  })

  test('remembers a bounded number of keys, those that were seen last', async () => {
    const limiter = createRateLimiter(2)
    await limiter.count([count('a', 1)])
    await limiter.count([count('b', 1)])
    expect(await admitted(limiter, count('a', 1))).toBe(false)
    await limiter.count([count('c', 1)])
    expect(await admitted(limiter, count('a', 1))).toBe(false)
    expect(await admitted(limiter, count('b', 1))).toBe(true)
  })
})

describe('the limiter of a thread', () => {
  function connect(limiter: RateLimiter, clock = new ManualClock()) {
    const { port1, port2 } = new MessageChannel()
    serveRateLimits(port1, limiter)
    onTestFinished(() => port1.close())
    return { client: createRateLimitClient(port2, clock), port1, port2, clock }
  }

  test('shares its counts with the other threads', async () => {
    const limiter = createRateLimiter()
    const [one, other] = [connect(limiter).client, connect(limiter).client]
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => admitted(index % 2 === 0 ? one : other, count('a', 7))),
    )
    expect(answers.filter(Boolean)).toHaveLength(7)
  })

  test('asks nobody for a key that is over its limit until its window ends', async () => {
    let asked = 0
    const { client, clock } = connect({
      count: () => {
        asked += 1
        return [{ admitted: false, remaining: 0, resetMs: 5000 }]
      },
    })
    await client.count([count('a', 1)])
    clock.advance(4999)
    expect(client.count([count('b', 1), count('a', 1)])).toMatchObject([{}, { admitted: false, resetMs: 1 }])
    expect(asked).toBe(1)
    clock.advance(1)
    await client.count([count('a', 1)])
    expect(asked).toBe(2)
  })

  test('admits nobody whom it cannot count', async () => {
    const { client } = connect({
      count: () => {
        throw new Error('no store')
      },
    })
    expect(await admitted(client, count('a', 100))).toBe(false)
  })

  test('fails once the main thread is gone', async () => {
    const { client, port1, port2 } = connect({ count: () => new Promise(() => {}) })
    const asked = expect(client.count([count('a', 1)])).rejects.toMatchObject({ code: 'ERR_BROKER_CLOSED' })
    port1.close()
    await once(port2, 'close')
    await asked
    await expect(client.count([count('a', 1)])).rejects.toMatchObject({ code: 'ERR_BROKER_CLOSED' })
  })
})
