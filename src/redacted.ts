import { inspect } from 'node:util'

/**
 * A secret that cannot be printed by mistake: as a string, as JSON and in `util.inspect` it is `[redacted]`.
 * Structured clone turns it into `{}`, so what crosses threads goes through `SecretTable` instead.
 */
export class Redacted {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The secret itself. Every use is found by searching for this name. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[redacted]'
  }

  toJSON(): string {
    return '[redacted]'
  }

  [inspect.custom](): string {
    return '[redacted]'
  }
}
