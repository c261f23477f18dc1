/** Retries that a quiet upstream may have at once, and that a busy one may have in a burst. */
const RESERVE = 20
/** Each request pays for so much of a retry: of what an upstream gets, retries are at most a fifth. */
const PER_REQUEST = 0.2
const PER_SECOND = 1

/**
 * Keeps the retries of an upstream in proportion to its requests, so that an upstream which is down under its load does
 * not get a multiple of it.
 */
export class RetryBudget {
  #tokens = RESERVE
  #requests = 0
  #at: number | undefined

  /**
   * Takes a retry, if there is one.
   *
   * @param requests that the upstream has ever got
   * @param now on the monotonic clock
   */
  take(requests: number, now: number): boolean {
    const earned = (requests - this.#requests) * PER_REQUEST + ((now - (this.#at ?? now)) / 1000) * PER_SECOND
    this.#requests = requests
    this.#at = now
    this.#tokens = Math.min(RESERVE, this.#tokens + earned)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
