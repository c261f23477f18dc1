import type { Timers } from '../clock.ts'

/** Something that a loop sleeps on: woken early, or after a time. */
export class Wake {
  readonly #timers: Timers
  #isWoken = false
  #resolve: () => void = () => {}

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Whether the next sleep would end at once. */
  get isWoken(): boolean {
    return this.#isWoken
  }

  now(): void {
    this.#isWoken = true
    this.#resolve()
  }

  /** Resolves when woken, after so many milliseconds, or with the signal. */
  async sleep(maximumMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#isWoken && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#resolve = resolve
      const cancel = this.#timers.after(maximumMs, resolve)
      const stop = (): void => resolve()
      signal.addEventListener('abort', stop, { once: true })
      await promise
      signal.removeEventListener('abort', stop)
      cancel()
    }
    this.#isWoken = false
  }
}
