import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 4096

/** Random ids for traces and spans; bytes are drawn many at a time. */
export class SpanIds {
  readonly #pool = Buffer.alloc(POOL_BYTES)
  #used = POOL_BYTES

  /** @returns Twice as many lower-case hexadecimal digits. */
  next(bytes: number): string {
    if (this.#used + bytes > POOL_BYTES) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    this.#used += bytes
    return this.#pool.toString('hex', this.#used - bytes, this.#used)
  }
}
