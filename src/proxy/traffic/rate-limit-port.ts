import type { MessagePort } from 'node:worker_threads'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../clock.ts'
import { OstiaryError } from '../../errors.ts'
import type { Count, Counted, RateLimiter } from './rate-limiter.ts'

interface Question {
  readonly id: number
  readonly counts: readonly Count[]
}

interface Reply {
  readonly id: number
  readonly counted: readonly Counted[]
}

/** Whoever cannot be counted is not admitted. */
const NOT_COUNTED: Counted = { admitted: false, remaining: 0, resetMs: 1000 }

/** More requests than this that wait to be counted: the thread that counts is stuck. */
const MAXIMUM_PENDING = 10_000
/** Keys that are known to be over their limit. */
const MAXIMUM_REFUSED = 10_000

/**
 * Counts for one proxy thread until its port closes. All threads of a process ask one limiter, so that a limit is the
 * same whichever thread a connection came to.
 *
 * @param port The main thread's end; the caller closes it.
 */
export function serveRateLimits(port: MessagePort, limiter: RateLimiter): void {
  port.on('message', (questions: readonly Question[]) => {
    void Promise.all(questions.map((question) => answer(limiter, question))).then((replies) =>
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a MessagePort, no window
      port.postMessage(replies),
    )
  })
}

async function answer(limiter: RateLimiter, { id, counts }: Question): Promise<Reply> {
  try {
    return { id, counted: await limiter.count(counts) }
  } catch {
    return { id, counted: [NOT_COUNTED] }
  }
}

/** The limiter of a proxy thread: asks the one behind the port. */
export function createRateLimitClient(port: MessagePort, clock: Clock): RateLimiter {
  return new RateLimitClient(port, clock)
}

interface Pending {
  readonly counts: readonly Count[]
  readonly resolve: (counted: readonly Counted[]) => void
  readonly reject: (error: Error) => void
}

class RateLimitClient implements RateLimiter {
  readonly #port: MessagePort
  readonly #clock: Clock
  readonly #pending = new Map<number, Pending>()
  // A flood that is over its limit must not reach the main thread, which logins and keys wait for too.
  readonly #refusedUntil = new LRUCache<string, number>({ max: MAXIMUM_REFUSED })
  #questions: Question[] = []
  #nextId = 1
  #closed = false

  constructor(port: MessagePort, clock: Clock) {
    this.#port = port
    this.#clock = clock
    port.on('message', (replies: readonly Reply[]) => {
      for (const reply of replies) this.#take(reply)
    })
    port.on('close', () => {
      this.#closed = true
      for (const { reject } of this.#pending.values()) reject(closedError())
      this.#pending.clear()
    })
    port.unref()
  }

  count(counts: readonly Count[]): readonly Counted[] | Promise<readonly Counted[]> {
    const refused = this.#knownRefusal(counts)
    if (refused !== undefined) return refused
    if (this.#closed) return Promise.reject(closedError())
    if (this.#pending.size >= MAXIMUM_PENDING) return [NOT_COUNTED]
    return new Promise((resolve, reject) => {
      const id = this.#nextId
      this.#nextId += 1
      this.#pending.set(id, { counts, resolve, reject })
      // What comes in one turn of the event loop goes in one message. A question alone costs both threads 28 µs of CPU,
      // and 6 µs where twenty go together.
      if (this.#questions.push({ id, counts }) === 1) setImmediate(() => this.#send())
    })
  }

  #send(): void {
    const questions = this.#questions
    this.#questions = []
    if (this.#closed) return
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a MessagePort, no window
    this.#port.postMessage(questions)
  }

  #take({ id, counted }: Reply): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (pending === undefined) return
    const last = counted.at(-1)
    const count = pending.counts[counted.length - 1]
    if (last !== undefined && count !== undefined && !last.admitted) {
      this.#refusedUntil.set(idOf(count), this.#clock.monotonic() + last.resetMs)
    }
    pending.resolve(counted)
  }

  /** The refused one stands where it does among the counts; those before it are not counted. */
  #knownRefusal(counts: readonly Count[]): readonly Counted[] | undefined {
    if (this.#refusedUntil.size === 0) return undefined
    for (const [index, count] of counts.entries()) {
      const resetMs = (this.#refusedUntil.get(idOf(count)) ?? 0) - this.#clock.monotonic()
      if (resetMs <= 0) continue
      const refused: Counted = { admitted: false, remaining: 0, resetMs }
      return counts.slice(0, index + 1).map(() => refused)
    }
    return undefined
  }
}

function idOf({ key, requests, windowSeconds }: Count): string {
  return `${requests}/${windowSeconds} ${key}`
}

function closedError(): OstiaryError {
  return new OstiaryError('ERR_BROKER_CLOSED', 'requests cannot be counted: the main thread is gone')
}
