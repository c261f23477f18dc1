import type { Timers } from '../clock.ts'

/** Between two questions. */
export const BEAT_MS = 5000

/**
 * Asks a thread again and again for a sign of life, and knows for how long none has come. Only the asker's own beats
 * are counted: where the main thread itself was held up, or the whole machine slept, that is nobody else's silence.
 */
export class Heartbeat {
  readonly #ask: () => void
  readonly #timers: Timers
  readonly #onMissed: () => void
  #isWaiting = false
  #missed = 0
  #cancel: () => void = () => {}

  /** Asks for the first time after one beat. @param onMissed called with every beat of silence */
  constructor(ask: () => void, timers: Timers, onMissed: () => void = () => {}) {
    this.#ask = ask
    this.#timers = timers
    this.#onMissed = onMissed
    this.#beatLater()
  }

  /** For how long the thread has owed an answer, in whole beats. */
  get silentMs(): number {
    return this.#missed * BEAT_MS
  }

  answered(): void {
    this.#isWaiting = false
    this.#missed = 0
  }

  stop(): void {
    this.#cancel()
  }

  #beatLater(): void {
    this.#cancel = this.#timers.after(BEAT_MS, () => {
      if (this.#isWaiting) {
        this.#missed += 1
        this.#onMissed()
      } else {
        this.#isWaiting = true
        this.#ask()
      }
      this.#beatLater()
    })
  }
}
