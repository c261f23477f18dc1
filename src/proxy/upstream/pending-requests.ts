/** A request that waits until an endpoint carries less. */
export interface PendingRequest {
  /** Its turn has come. */
  admit(): void
}

/** Those that wait for one upstream, first come, first served. */
export class PendingRequests {
  readonly #waiting = new Set<PendingRequest>()

  /** `false`: so many wait already. */
  add(request: PendingRequest, maximum: number): boolean {
    if (this.#waiting.size >= maximum) return false
    this.#waiting.add(request)
    return true
  }

  delete(request: PendingRequest): void {
    this.#waiting.delete(request)
  }

  /** An endpoint carries one less. */
  admitNext(): void {
    for (const request of this.#waiting) {
      this.#waiting.delete(request)
      request.admit()
      return
    }
  }
}
