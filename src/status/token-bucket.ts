import type { Clock } from '../clock.ts'

export interface TokenBucketOptions {
  readonly clock: Clock
  readonly perSecond: number
  /** How many may go at once after a quiet time; full at first. */
  readonly burst: number
}

/** Limits how often something is done. */
export class TokenBucket {
  readonly #options: TokenBucketOptions
  #tokens: number
  #countedMs: number

  constructor(options: TokenBucketOptions) {
    this.#options = options
    this.#tokens = options.burst
    this.#countedMs = options.clock.monotonic()
  }

  /** @returns 0 when a token was taken, else in how many milliseconds there will be one. */
  take(): number {
    const { clock, perSecond, burst } = this.#options
    const nowMs = clock.monotonic()
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#countedMs) / 1000) * perSecond)
    this.#countedMs = nowMs
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / perSecond) * 1000)
    this.#tokens -= 1
    return 0
  }
}
