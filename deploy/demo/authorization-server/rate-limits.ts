import type { ServerResponse } from 'node:http'
import { oktaError, type Reply } from './exchange.ts'
import type { Endpoint } from './faults.ts'

const WINDOW_SECONDS = 60

/** Okta's rate limits: so many requests a minute and endpoint, told in three headers of every answer. */
export class RateLimits {
  readonly #perMinute: number
  readonly #used = new Map<Endpoint, number>()
  readonly #exhausted = new Set<Endpoint>()
  #window = 0

  constructor(perMinute: number) {
    this.#perMinute = perMinute
  }

  /** Spends the whole budget of an endpoint: it answers 429 until `restore`. */
  exhaust(endpoint: Endpoint): void {
    this.#exhausted.add(endpoint)
  }

  restore(): void {
    this.#exhausted.clear()
    this.#used.clear()
  }

  /** Counts a request and sets the headers. @returns The 429 when nothing is left. */
  take(endpoint: Endpoint, response: ServerResponse): Reply | undefined {
    const window = Math.floor(Date.now() / 1000 / WINDOW_SECONDS)
    if (window !== this.#window) this.#used.clear()
    this.#window = window
    const used = this.#exhausted.has(endpoint) ? this.#perMinute + 1 : (this.#used.get(endpoint) ?? 0) + 1
    this.#used.set(endpoint, used)
    response.setHeader('X-Rate-Limit-Limit', this.#perMinute)
    response.setHeader('X-Rate-Limit-Remaining', Math.max(0, this.#perMinute - used))
    response.setHeader('X-Rate-Limit-Reset', (window + 1) * WINDOW_SECONDS)
    if (used <= this.#perMinute) return undefined
    return oktaError(429, 'E0000047', 'API call exceeded rate limit due to too many requests.')
  }
}
