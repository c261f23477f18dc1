import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'

/** What goes on failing is logged again so often, for a log that is looked at late. */
const REPEAT_MS = 600_000
/** Reasons may name objects, of which there are many. */
const MAXIMUM_REASONS = 1000

/** Logs why something cannot be done: when the reason is new, and now and then while it stays so. */
export class ProblemLog {
  readonly #logger: Logger
  readonly #clock: Clock
  /** When each was told last, the longest ago first. */
  readonly #toldMs = new Map<string, number>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** How many reasons are remembered. */
  get size(): number {
    return this.#toldMs.size
  }

  /** @param fields The reason, and what it is about. */
  report(fields: Readonly<Record<string, string>>, message: string): void {
    const key = JSON.stringify([fields, message])
    const nowMs = this.#clock.monotonic()
    for (const [known, toldMs] of this.#toldMs) {
      if (nowMs - toldMs < REPEAT_MS && this.#toldMs.size < MAXIMUM_REASONS) break
      this.#toldMs.delete(known)
    }
    if (this.#toldMs.has(key)) return
    this.#toldMs.set(key, nowMs)
    this.#logger.warn(fields, message)
  }

  /** It can be done again. */
  solved(): void {
    this.#toldMs.clear()
  }
}
