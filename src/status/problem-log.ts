import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'

/** What goes on failing is logged again so often, for a log that is looked at late. */
const REPEAT_MS = 600_000

/** Logs why something cannot be done: when the reason is new, and now and then while it stays so. */
export class ProblemLog {
  readonly #logger: Logger
  readonly #clock: Clock
  #known: string | undefined
  #toldMs = 0

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** @param fields The reason, and what it is about. */
  report(fields: Readonly<Record<string, string>>, message: string): void {
    const key = JSON.stringify([fields, message])
    const nowMs = this.#clock.monotonic()
    if (key === this.#known && nowMs - this.#toldMs < REPEAT_MS) return
    this.#known = key
    this.#toldMs = nowMs
    this.#logger.warn(fields, message)
  }

  /** It can be done again. */
  solved(): void {
    this.#known = undefined
  }
}
