import type { Clock } from '../clock.ts'

/** Who refused so long ago and has not been asked since is gone. */
const FORGET_MS = 600_000

/** Whom not to ask for a while, since they refused: lest one that always does holds up all others. */
export class Refusals {
  readonly #clock: Clock
  readonly #pauseMs: number
  /** Until when each is left alone, by the monotonic clock. */
  readonly #untilMs = new Map<string, number>()

  constructor(clock: Clock, pauseMs: number) {
    this.#clock = clock
    this.#pauseMs = pauseMs
  }

  /** Whether nobody refused when asked last. */
  get isEmpty(): boolean {
    return this.#untilMs.size === 0
  }

  isPaused(key: string): boolean {
    return this.#clock.monotonic() < (this.#untilMs.get(key) ?? 0)
  }

  refused(key: string): void {
    const nowMs = this.#clock.monotonic()
    for (const [each, untilMs] of this.#untilMs) if (nowMs - untilMs >= FORGET_MS) this.#untilMs.delete(each)
    this.#untilMs.set(key, nowMs + this.#pauseMs)
  }

  admitted(key: string): void {
    this.#untilMs.delete(key)
  }
}
