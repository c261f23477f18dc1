import type { AffinityTokens } from './affinity.ts'
import type { EndpointPool } from './endpoint-pool.ts'
import { PendingRequests } from './pending-requests.ts'
import { RetryBudget } from './retry-budget.ts'
import type { Transport } from './transport.ts'

/** What is kept of an upstream from one snapshot to the next. */
export class UpstreamState {
  /** Requests ever sent; says whose turn it is. */
  requests = 0
  /** Requests that a canary could have had. */
  canaryTurn = 0
  readonly retryBudget = new RetryBudget()
  readonly pending = new PendingRequests()
}

/** What a request asks of its endpoint. */
export interface EndpointWish {
  /** That with the fewest requests. */
  readonly leastRequests: boolean
  /** Better not this one: it has just failed. */
  readonly except?: EndpointPool | undefined
}

// Ranks: more requests than any endpoint carries count less than to be one that failed.
const FAILED_JUST_NOW = 1e9
const RESTING = 1e10

/** The endpoints of one upstream as one snapshot has them, in rotation. */
export class UpstreamRotation {
  readonly transport: Transport
  readonly state: UpstreamState
  readonly #endpoints: readonly EndpointPool[]
  readonly #createTokens: (origins: readonly string[]) => AffinityTokens | undefined
  #tokens: AffinityTokens | undefined

  constructor(
    transport: Transport,
    endpoints: readonly EndpointPool[],
    state: UpstreamState,
    createTokens: (origins: readonly string[]) => AffinityTokens | undefined,
  ) {
    this.transport = transport
    this.state = state
    this.#endpoints = endpoints
    this.#createTokens = createTokens
  }

  get size(): number {
    return this.#endpoints.length
  }

  /**
   * Round robin, past endpoints that rest unless all do; `undefined` where there is no endpoint.
   *
   * @param now on the monotonic clock
   */
  next(now: number): EndpointPool | undefined {
    const { state } = this
    const count = this.#endpoints.length
    const pool = this.#endpoints[state.requests % count]
    if (pool !== undefined && pool.restingUntil > now) return this.choose(now, ANY)
    state.requests += 1
    return pool
  }

  /** The best of those that may carry more; `undefined`: none may. */
  choose(now: number, wish: EndpointWish): EndpointPool | undefined {
    const { state, transport } = this
    const count = this.#endpoints.length
    let best: EndpointPool | undefined
    let lowest = Number.POSITIVE_INFINITY
    for (let i = 0; i < count && lowest > 0; i += 1) {
      const pool = this.#endpoints[(state.requests + i) % count] as EndpointPool
      if (pool.active >= transport.maximumActive) continue
      const rank = rankOf(pool, now, wish)
      if (rank < lowest) {
        best = pool
        lowest = rank
      }
    }
    state.requests += 1
    return best
  }

  /** The endpoint that a cookie's value stands for. */
  endpointOf(token: string): EndpointPool | undefined {
    const index = this.#affinity()?.indexOf(token)
    return index === undefined ? undefined : this.#endpoints[index]
  }

  /** The cookie's value that stands for an endpoint. */
  tokenOf(pool: EndpointPool): string | undefined {
    return this.#affinity()?.tokenOf(this.#endpoints.indexOf(pool))
  }

  #affinity(): AffinityTokens | undefined {
    this.#tokens ??= this.#createTokens(this.#endpoints.map(({ origin }) => origin))
    return this.#tokens
  }
}

const ANY: EndpointWish = { leastRequests: false }

function rankOf(pool: EndpointPool, now: number, { leastRequests, except }: EndpointWish): number {
  return (
    (leastRequests ? pool.active : 0) +
    (pool === except ? FAILED_JUST_NOW : 0) +
    (pool.restingUntil > now ? RESTING : 0)
  )
}
