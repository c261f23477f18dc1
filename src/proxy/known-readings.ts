const MAXIMUM_READINGS = 1024
const MAXIMUM_LENGTH = 64

/**
 * Remembers what was read from short texts that repeat from request to request, such as names of fields: a look-up
 * costs less than reading them again. Bounded, because it is strangers who choose them.
 */
export class KnownReadings<Reading> {
  readonly #read: (text: string) => Reading
  readonly #readings = new Map<string, Reading>()

  /** @param read Depends on the text alone. */
  constructor(read: (text: string) => Reading) {
    this.#read = read
  }

  get(text: string): Reading {
    const known = this.#readings.get(text)
    if (known !== undefined) return known
    const reading = this.#read(text)
    if (text.length > MAXIMUM_LENGTH) return reading
    if (this.#readings.size >= MAXIMUM_READINGS) this.#readings.clear()
    this.#readings.set(text, reading)
    return reading
  }
}
