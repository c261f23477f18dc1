import type { Timers } from '../../src/clock.ts'
import { ManualClock } from './manual-clock.ts'

interface Due {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

/** Timers that run when the clock that they share is advanced: in order of time, then of setting. */
export class ManualTimers extends ManualClock implements Timers {
  #due: Due[] = []
  #order = 0

  after(delayMs: number, callback: () => void): () => void {
    const due: Due = { atMs: this.now() + Math.max(0, delayMs), order: this.#order++, callback }
    this.#due.push(due)
    return () => {
      this.#due = this.#due.filter((each) => each !== due)
    }
  }

  /** How many have been set and have neither run nor been cancelled. */
  get pending(): number {
    return this.#due.length
  }

  /** How long until the next one runs. */
  get nextInMs(): number | undefined {
    const next = this.#next()
    return next === undefined ? undefined : next.atMs - this.now()
  }

  /** Moves time and runs what falls due on the way, at its own time. */
  override advance(ms: number): void {
    const untilMs = this.now() + ms
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.atMs > untilMs) break
      super.advance(next.atMs - this.now())
      this.#due = this.#due.filter((each) => each !== next)
      next.callback()
    }
    super.advance(untilMs - this.now())
  }

  #next(): Due | undefined {
    return this.#due.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
  }
}
