/** How often authorization decided what. */
export type DecisionCounts = Record<'allow' | 'redirect' | 'respond' | 'refuse' | 'unavailable', number>

/** What one thread has counted of all its requests together; plain data. */
export interface TotalsReading {
  readonly requests: number
  /** Answered with 4xx, those included whose client left. */
  readonly clientErrors: number
  /** Answered with 5xx. */
  readonly serverErrors: number
  /** Requests by duration, not cumulative; bounds as `LATENCY_BOUNDS` has them, and one more above the last. */
  readonly latencyBuckets: readonly number[]
  readonly decisions: Readonly<DecisionCounts>
}

export const NO_DECISIONS: Readonly<DecisionCounts> = {
  allow: 0,
  redirect: 0,
  respond: 0,
  refuse: 0,
  unavailable: 0,
}

/**
 * Sums over all routes of a thread, kept as requests end: reading them costs the same with ten thousand routes as with
 * one, and a route that goes away takes nothing back.
 */
export class RequestTotals {
  readonly #latencyBuckets: Float64Array
  readonly #decisions: DecisionCounts = { ...NO_DECISIONS }
  #requests = 0
  #clientErrors = 0
  #serverErrors = 0

  /** @param buckets Of the histograms that requests are observed in. */
  constructor(buckets: number) {
    this.#latencyBuckets = new Float64Array(buckets)
  }

  /** @param bucket The one that the request's duration fell into. */
  finished(status: number, bucket: number): void {
    this.#requests += 1
    if (status >= 500) this.#serverErrors += 1
    else if (status >= 400) this.#clientErrors += 1
    this.#latencyBuckets[bucket] = (this.#latencyBuckets[bucket] as number) + 1
  }

  decided(result: keyof DecisionCounts): void {
    this.#decisions[result] += 1
  }

  read(): TotalsReading {
    return {
      requests: this.#requests,
      clientErrors: this.#clientErrors,
      serverErrors: this.#serverErrors,
      latencyBuckets: [...this.#latencyBuckets],
      decisions: { ...this.#decisions },
    }
  }
}
