/** Where the time comes from; tests inject a manual one. */
export interface Clock {
  /** Milliseconds since the epoch. May jump when the system's clock is set. */
  now(): number
  /** Milliseconds on a monotonic scale of unknown origin, for durations. */
  monotonic(): number
}

/** The system's clock. */
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** The clock's time as whole seconds since the epoch, as in JWT claims (RFC 7519 §2, NumericDate). */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000)
}

/** Runs things later; tests inject manual ones. */
export interface Timers {
  /** Calls back once after so many milliseconds, never at once. Gives a function that cancels it. */
  after(delayMs: number, callback: () => void): () => void
}

/** The system's timers. */
export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
