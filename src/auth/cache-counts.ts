/** What is remembered between requests. */
export type CacheName =
  /** What was decided for a credential on a route; looked up before the others. */
  'decisions' | 'tokens' | 'introspection' | 'client_credentials' | 'user_info' | 'sessions'

/** How a cache of this thread was used so far. */
export interface CacheCount {
  readonly cache: CacheName
  readonly entries: number
  readonly hits: number
  readonly misses: number
}

/** Counts of one cache; plain numbers, since requests pass here. */
export class CacheTally {
  readonly cache: CacheName
  hits = 0
  misses = 0
  readonly #entries: () => number

  constructor(cache: CacheName, entries: () => number) {
    this.cache = cache
    this.#entries = entries
  }

  get count(): CacheCount {
    return { cache: this.cache, entries: this.#entries(), hits: this.hits, misses: this.misses }
  }
}

/** The counts of all caches of a thread. */
export class CacheCounts {
  readonly #tallies: CacheTally[] = []

  /**
   * Adds a cache.
   *
   * @param entries How many it holds now.
   */
  tally(cache: CacheName, entries: () => number): CacheTally {
    const tally = new CacheTally(cache, entries)
    this.#tallies.push(tally)
    return tally
  }

  list(): readonly CacheCount[] {
    return this.#tallies.map((tally) => tally.count)
  }
}
