import type { Timers } from '../clock.ts'

/** What a thread was asked and has not told yet, by the number of the question. */
export class PendingAnswers<Answer> {
  readonly #timers: Timers
  readonly #waitMs: number
  readonly #settlers = new Map<number, (answer: Answer) => void>()
  #nextId = 1

  /** @param waitMs How long an answer is waited for. */
  constructor(timers: Timers, waitMs: number) {
    this.#timers = timers
    this.#waitMs = waitMs
  }

  /** @param otherwise What is told where no answer comes in time. */
  ask(send: (id: number) => void, otherwise: () => Answer): Promise<Answer> {
    const id = this.#nextId
    this.#nextId += 1
    return new Promise((resolve) => {
      const settle = (answer: Answer): void => {
        cancel()
        this.#settlers.delete(id)
        resolve(answer)
      }
      const cancel = this.#timers.after(this.#waitMs, () => settle(otherwise()))
      this.#settlers.set(id, settle)
      send(id)
    })
  }

  answered(id: number, answer: Answer): void {
    this.#settlers.get(id)?.(answer)
  }

  /** No answer will come any more. */
  abandon(answer: Answer): void {
    for (const settle of this.#settlers.values()) settle(answer)
  }
}
