import { Ring } from './ring.ts'

/** A request that was answered with 5xx. Of the request itself there is nothing in it. */
export interface NotedError {
  /** On the monotonic clock. */
  notedAt: number
  status: number
  /** A stable word. */
  reason: string
  /** `address:port`; empty: none was asked. */
  endpoint: string
}

const ERRORS_PER_ROUTE = 10
const ROUTES = 500

/** The last errors of one thread by route: of so many routes at most, those that failed last. */
export class RecentErrors {
  readonly #routes = new Map<string, Ring<NotedError>>()

  /** The slot to write an error to, every member of it. @param route its id */
  next(route: string): NotedError {
    const known = this.#routes.get(route)
    // Put in again: a Map keeps the order of insertion, and the first goes when there are too many.
    if (known !== undefined) this.#routes.delete(route)
    else if (this.#routes.size >= ROUTES) this.#dropOldest()
    const ring = known ?? new Ring(ERRORS_PER_ROUTE, emptySlot)
    this.#routes.set(route, ring)
    return ring.next()
  }

  /** Newest first. */
  of(route: string): NotedError[] {
    return this.#routes.get(route)?.newestFirst() ?? []
  }

  #dropOldest(): void {
    for (const route of this.#routes.keys()) {
      this.#routes.delete(route)
      return
    }
  }
}

function emptySlot(): NotedError {
  return { notedAt: 0, status: 0, reason: '', endpoint: '' }
}
