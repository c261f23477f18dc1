import type { Timers } from '../clock.ts'

export interface HoldOffOptions {
  readonly timers: Timers
  /** So long nothing may have changed before the window closes; milliseconds. */
  readonly quietMs: number
  /** The window closes this long after its first change at the latest; milliseconds. */
  readonly maxMs: number
  /** Called once when a window closes. Must not throw. */
  readonly closed: () => void
}

/**
 * Gathers bursts of changes into windows: a rollout moves dozens of endpoint slices within a second, and one compile
 * serves them all. The first change opens a window; every window that opens is closed.
 */
export class HoldOff {
  readonly #options: HoldOffOptions
  #cancelQuiet: (() => void) | undefined
  #cancelMax: (() => void) | undefined

  constructor(options: HoldOffOptions) {
    this.#options = options
  }

  /** Notes a change. */
  changed(): void {
    const { timers, quietMs, maxMs } = this.#options
    const close = (): void => {
      this.cancel()
      this.#options.closed()
    }
    this.#cancelQuiet?.()
    this.#cancelQuiet = timers.after(quietMs, close)
    this.#cancelMax ??= timers.after(maxMs, close)
  }

  /** Forgets an open window. */
  cancel(): void {
    this.#cancelQuiet?.()
    this.#cancelMax?.()
    this.#cancelQuiet = undefined
    this.#cancelMax = undefined
  }
}
