import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../clock.ts'

const MAXIMUM_ENTRIES = 4_096

interface SharedCall<T> {
  readonly result: Promise<T>
  /** Infinite while the call runs. */
  untilMs: number
}

/**
 * One call for all who ask the same at once; its result is kept for a grace window, so that another thread that asks
 * a moment later gets the same token instead of a second one. What is asked holds secrets: entries are found by an
 * HMAC under a key that lives as long as this object.
 */
export class SharedCalls<T> {
  readonly #clock: Clock
  readonly #key = randomBytes(32)
  readonly #calls = new LRUCache<string, SharedCall<T>>({ max: MAXIMUM_ENTRIES })
  readonly #graceMs: (result: T) => number

  /** @param graceMs How long a result is kept; 0: not at all. */
  constructor(clock: Clock, graceMs: (result: T) => number) {
    this.#clock = clock
    this.#graceMs = graceMs
  }

  /**
   * @param question What makes two calls the same; anything that JSON can print.
   * @param act Makes the call; may not reject.
   */
  run(question: unknown, act: () => Promise<T>): Promise<T> {
    const id = createHmac('sha256', this.#key).update(JSON.stringify(question)).digest('base64')
    const known = this.#calls.get(id)
    if (known && this.#clock.monotonic() < known.untilMs) return known.result
    const call: SharedCall<T> = { result: act(), untilMs: Number.POSITIVE_INFINITY }
    this.#calls.set(id, call)
    void this.#settle(id, call)
    return call.result
  }

  async #settle(id: string, call: SharedCall<T>): Promise<void> {
    const graceMs = this.#graceMs(await call.result)
    call.untilMs = this.#clock.monotonic() + graceMs
    if (graceMs <= 0 && this.#calls.peek(id) === call) this.#calls.delete(id)
  }
}
