import type { RequestRecord, RequestRecorder } from '../../src/observability/request-record.ts'

/** Keeps what became of requests, in the order in which they ended. */
export class KeptRecords implements RequestRecorder {
  readonly #kept: RequestRecord[] = []
  #wake: (() => void) | undefined

  wants(): boolean {
    return true
  }

  finished(record: RequestRecord): void {
    this.#kept.push(record)
    this.#wake?.()
  }

  /** How many wait to be taken. */
  get size(): number {
    return this.#kept.length
  }

  /** The oldest that was not taken yet, once there is one. */
  async next(): Promise<RequestRecord> {
    for (;;) {
      const record = this.#kept.shift()
      if (record !== undefined) return record
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
