/** Lets all who ask for the same at once wait for one answer. Nothing is kept once it is there. */
export class SingleFlight<T> {
  readonly #inFlight = new Map<string, Promise<T>>()

  run(key: string, act: () => Promise<T>): Promise<T> {
    const known = this.#inFlight.get(key)
    if (known !== undefined) return known
    const flight = act().finally(() => this.#inFlight.delete(key))
    this.#inFlight.set(key, flight)
    return flight
  }
}
