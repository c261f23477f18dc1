import type { Timers } from '../../clock.ts'

export interface BackOffOptions {
  /** Default 250 ms. */
  readonly firstMs?: number
  /** Default 30 s. */
  readonly maxMs?: number
  /** Between 0 and 1, as Math.random. */
  readonly random: () => number
}

/**
 * Delays between attempts: each twice the last, up to a limit, and of each a random part between half and all, so that
 * many clients do not come back to a restarted server at one moment.
 */
export class BackOff {
  readonly #firstMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #nextMs: number

  constructor({ firstMs = 250, maxMs = 30_000, random }: BackOffOptions) {
    this.#firstMs = firstMs
    this.#maxMs = maxMs
    this.#random = random
    this.#nextMs = firstMs
  }

  /** The delay before the next attempt, in milliseconds. */
  next(): number {
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(delayMs * 2, this.#maxMs)
    return delayMs * (0.5 + this.#random() / 2)
  }

  /** After an attempt that was worth it. */
  reset(): void {
    this.#nextMs = this.#firstMs
  }
}

/** Waits, or returns early when the signal is aborted. */
export function pause(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = timers.after(delayMs, () => {
    signal.removeEventListener('abort', stop)
    resolve()
  })
  const stop = (): void => {
    cancel()
    resolve()
  }
  signal.addEventListener('abort', stop, { once: true })
  return promise
}
