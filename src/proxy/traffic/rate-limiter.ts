import { LRUCache } from 'lru-cache'
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible'
import type { MaybePromise } from '../../auth/maybe-promise.ts'
import type { RateLimit } from '../../table/route-traffic.ts'

/** One request that counts against a limit. */
export interface Count extends RateLimit {
  /** Whose requests they are, among all that the limit counts. */
  readonly key: string
}

/** What is left of a limit. */
export interface Counted {
  readonly admitted: boolean
  /** Requests until the window ends. */
  readonly remaining: number
  readonly resetMs: number
}

/** Counts requests in windows that begin with their first. */
export interface RateLimiter {
  /**
   * Counts a request against each limit in turn, up to the first that does not admit it.
   *
   * @returns One for each up to that: of the last, `admitted` says whether the request is. Of those before one that
   * refuses nothing more can be told.
   * @throws OstiaryError ERR_BROKER_CLOSED where nobody counts any more
   */
  count(counts: readonly Count[]): MaybePromise<readonly Counted[]>
}

/**
 * Keys that are remembered; about 30 MB. Beyond that the one that was not seen for longest starts anew, so that strangers
 * with many addresses cannot fill the memory.
 */
const MAXIMUM_KEYS = 100_000
/** Rates that are in use at once, one for each `100/1m` that is written anywhere. */
const MAXIMUM_RATES = 1000

/** Counts in this process. Keys that differ in nothing but their rate are counted apart. */
export function createRateLimiter(maximumKeys: number = MAXIMUM_KEYS): RateLimiter {
  return new MemoryRateLimiter(maximumKeys)
}

class MemoryRateLimiter implements RateLimiter {
  readonly #limiters = new LRUCache<string, RateLimiterMemory>({ max: MAXIMUM_RATES })
  // The library forgets keys when their window ends, and not before.
  readonly #keys: LRUCache<string, RateLimiterMemory>

  constructor(maximumKeys: number) {
    this.#keys = new LRUCache({
      max: maximumKeys,
      dispose: (limiter, id) => void limiter.delete(id.slice(id.indexOf(' ') + 1)),
    })
  }

  async count(counts: readonly Count[]): Promise<readonly Counted[]> {
    const counted: Counted[] = []
    for (const each of counts) {
      const one = await this.#countOne(each)
      counted.push(one)
      if (!one.admitted) break
    }
    return counted
  }

  async #countOne({ key, requests, windowSeconds }: Count): Promise<Counted> {
    const rate = `${requests}/${windowSeconds}`
    const limiter = this.#limiter(rate, requests, windowSeconds)
    const id = `${rate} ${key}`
    if (this.#keys.get(id) !== limiter) this.#keys.set(id, limiter)
    try {
      return countedOf(true, await limiter.consume(key))
    } catch (error) {
      // The library throws what is left where nothing is.
      if (error instanceof Error) throw error
      return countedOf(false, error as RateLimiterRes)
    }
  }

  #limiter(rate: string, points: number, duration: number): RateLimiterMemory {
    let limiter = this.#limiters.get(rate)
    if (limiter === undefined) {
      limiter = new RateLimiterMemory({ points, duration, keyPrefix: '' })
      this.#limiters.set(rate, limiter)
    }
    return limiter
  }
}

function countedOf(admitted: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes): Counted {
  return { admitted, remaining: remainingPoints, resetMs: msBeforeNext }
}
