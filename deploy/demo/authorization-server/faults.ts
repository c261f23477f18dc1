import type { Reply } from './exchange.ts'

/** The endpoints that are counted and that faults can be set on. */
const ENDPOINTS = [
  'authorize',
  'token',
  'introspect',
  'revoke',
  'logout',
  'userinfo',
  'keys',
  'discovery',
  'signin',
] as const

export type Endpoint = (typeof ENDPOINTS)[number]

/** A request that arrived, for tests to look at. Holds no secret. */
export interface RecordedCall {
  readonly endpoint: Endpoint
  readonly method: string
  /** Query and form parameters; the last value where one is repeated. `client_secret` is left out. */
  readonly parameters: Readonly<Record<string, string>>
  /** The scheme of the Authorization header in lower case; undefined without one. */
  readonly authorizationScheme: string | undefined
}

/** Requests wait at an endpoint until `release` is called. */
export interface Hold {
  /** How many requests have arrived and wait. */
  readonly waiting: number
  /** Resolves as soon as `count` requests wait. */
  arrived(count: number): Promise<void>
  release(): void
}

interface Answer {
  readonly reply: Reply
  timesLeft: number
}

const CALLS_KEPT = 1000

/** What goes wrong on demand, and what has been asked so far. */
export class Faults {
  /** `iss` of the tokens issued from now on; undefined: the real issuer. */
  tokenIssuer: string | undefined
  /** `issuer` of the discovery documents; undefined: the real issuer. */
  discoveryIssuer: string | undefined
  /** Lifetime of the access tokens issued from now on, in seconds; at least 1. */
  accessTokenSeconds = 3600
  /** How long a refresh token that was used is taken again, in seconds; Okta's default is 30. */
  refreshTokenGraceSeconds = 0
  /** Whether a refresh gives a new ID token too. */
  refreshesIdToken = true
  readonly #answers = new Map<Endpoint, Answer>()
  readonly #delaysMs = new Map<Endpoint, number>()
  readonly #holds = new Map<Endpoint, PendingHold>()
  readonly #counts = new Map<Endpoint, number>()
  #calls: RecordedCall[] = []

  /** How often an endpoint was called since the start or `resetCalls`. Both discovery documents count as one. */
  count(endpoint: Endpoint): number {
    return this.#counts.get(endpoint) ?? 0
  }

  /** The latest calls, oldest first. */
  get calls(): readonly RecordedCall[] {
    return this.#calls
  }

  resetCalls(): void {
    this.#counts.clear()
    this.#calls = []
  }

  /** Delays every answer of these endpoints (default: all); 0 ends it. */
  slow(delayMs: number, endpoints: readonly Endpoint[] = ENDPOINTS): void {
    for (const endpoint of endpoints) this.#delaysMs.set(endpoint, delayMs)
  }

  /** Makes every request to an endpoint wait until the hold is released. */
  hold(endpoint: Endpoint): Hold {
    const hold = new PendingHold(() => this.#holds.delete(endpoint))
    this.#holds.set(endpoint, hold)
    return hold
  }

  /** Makes an endpoint answer this instead, `times` times. */
  answer(endpoint: Endpoint, reply: Reply, times = Infinity): void {
    this.#answers.set(endpoint, { reply, timesLeft: times })
  }

  /** Ends `slow`, `hold`, `answer` and the wrong issuers. */
  clear(): void {
    this.#answers.clear()
    this.#delaysMs.clear()
    for (const hold of this.#holds.values()) hold.release()
    this.tokenIssuer = undefined
    this.discoveryIssuer = undefined
    this.accessTokenSeconds = 3600
    this.refreshTokenGraceSeconds = 0
    this.refreshesIdToken = true
  }

  record(call: RecordedCall): void {
    this.#counts.set(call.endpoint, this.count(call.endpoint) + 1)
    this.#calls = [...this.#calls, call].slice(-CALLS_KEPT)
  }

  /** Waits as told, then says whether a fault answers in place of the endpoint. */
  async apply(endpoint: Endpoint): Promise<Reply | undefined> {
    await this.#holds.get(endpoint)?.wait()
    const delayMs = this.#delaysMs.get(endpoint) ?? 0
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
    const answer = this.#answers.get(endpoint)
    if (!answer || answer.timesLeft <= 0) return undefined
    answer.timesLeft -= 1
    return answer.reply
  }
}

class PendingHold implements Hold {
  waiting = 0
  readonly #onRelease: () => void
  readonly #released = Promise.withResolvers<void>()
  #watchers: { readonly count: number; readonly resolve: () => void }[] = []

  constructor(onRelease: () => void) {
    this.#onRelease = onRelease
  }

  async wait(): Promise<void> {
    this.waiting += 1
    for (const watcher of this.#watchers) if (this.waiting >= watcher.count) watcher.resolve()
    await this.#released.promise
  }

  async arrived(count: number): Promise<void> {
    if (this.waiting >= count) return
    await new Promise<void>((resolve) => this.#watchers.push({ count, resolve }))
  }

  release(): void {
    this.#onRelease()
    this.#released.resolve()
  }
}
