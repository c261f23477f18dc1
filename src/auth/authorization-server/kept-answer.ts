import type { Clock } from '../../clock.ts'
import type { Answer } from './authorization-server-client.ts'
import { unavailable } from './unavailable.ts'

/** A document and how long it may be used before it is fetched again. */
export interface Fetched<T> {
  readonly document: T
  readonly lifetimeMs: number
}

/** After a failure nothing is fetched for so long: no stampede on a server that is down. */
const FAILURE_PAUSE_MS = 5_000
/** The same where a good document is still in use. */
const REFRESH_PAUSE_MS = 30_000

/**
 * Keeps one document of an authorization server. Whoever asks while it is fetched waits for the same fetch; once it
 * is past its lifetime it is still given out while a new one is fetched; a failed fetch never replaces a good one.
 */
export class KeptAnswer<T> {
  readonly #fetch: () => Promise<Answer<Fetched<T>>>
  readonly #clock: Clock
  #document: { readonly value: T; readonly staleAtMs: number } | undefined
  #failure: { readonly answer: Answer<T>; readonly untilMs: number } | undefined
  #running: Promise<Answer<T>> | undefined

  /** @param fetch May not reject. */
  constructor(clock: Clock, fetch: () => Promise<Answer<Fetched<T>>>) {
    this.#clock = clock
    this.#fetch = fetch
  }

  /** The document as it is now; `undefined` before the first fetch succeeded. */
  get current(): T | undefined {
    return this.#document?.value
  }

  /** The outcome of the fetch that is running, else as `get`. */
  settled(): Promise<Answer<T>> {
    return this.#running ?? this.get()
  }

  /** The document, fetched first if there is none. Refreshes in the background what is past its lifetime. */
  async get(): Promise<Answer<T>> {
    const nowMs = this.#clock.monotonic()
    const failure = this.#failure && nowMs < this.#failure.untilMs ? this.#failure : undefined
    if (this.#document) {
      if (nowMs >= this.#document.staleAtMs && !failure) void this.refresh()
      return { ok: true, value: this.#document.value }
    }
    return failure ? waiting(failure.answer, failure.untilMs - nowMs) : this.refresh()
  }

  /** Fetches now, or joins the fetch that is running. Gives the old document where that fails. */
  refresh(): Promise<Answer<T>> {
    this.#running ??= this.#refresh().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #refresh(): Promise<Answer<T>> {
    const fetched = await this.#fetch()
    const nowMs = this.#clock.monotonic()
    if (fetched.ok) {
      const { document: value, lifetimeMs } = fetched.value
      this.#document = { value, staleAtMs: nowMs + lifetimeMs }
      this.#failure = undefined
      return { ok: true, value }
    }
    this.#failure = {
      answer: fetched,
      untilMs: nowMs + (this.#document ? REFRESH_PAUSE_MS : FAILURE_PAUSE_MS),
    }
    return this.#document ? { ok: true, value: this.#document.value } : fetched
  }
}

function waiting<T>(answer: Answer<T>, remainingMs: number): Answer<T> {
  if (answer.ok || answer.kind === 'refused') return answer
  return unavailable(answer.reason, Math.max(answer.retryAfterSeconds, Math.ceil(remainingMs / 1000)))
}
