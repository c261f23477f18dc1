import type { ForwardingSettings, RetryCondition } from '../../table/upstream-settings.ts'
import type { Failure } from '../upstream-failure.ts'
import type { Engine } from '../exchange.ts'
import type { EndpointPool } from './endpoint-pool.ts'
import type { UpstreamRotation } from './rotation.ts'

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** Without a word from anybody: another endpoint may take what never went out. */
const OTHER_ENDPOINTS: NonNullable<ForwardingSettings['retries']> = { attempts: 2, on: ['connect-failure'] }

/** Before the same endpoint is asked again; doubled each time. */
const FIRST_BACK_OFF_MS = 25

const CONDITION_OF_STATUS: ReadonlyMap<number, RetryCondition> = new Map([
  [502, '502'],
  [503, '503'],
  [504, '504'],
])

/** A request that has failed, or was answered badly. */
export interface FailedAttempt {
  readonly condition: RetryCondition | Failure
  readonly method: string
  /** Its body can be sent from the beginning; also where it has none. */
  readonly isRepeatable: boolean
}

/** How often a request may be sent once more, and where it goes then. */
export class Retries {
  readonly #engine: Engine
  readonly #rotation: UpstreamRotation
  readonly #settings: ForwardingSettings['retries']
  #count = 0

  constructor(engine: Engine, rotation: UpstreamRotation, settings: ForwardingSettings['retries']) {
    this.#engine = engine
    this.#rotation = rotation
    this.#settings = settings
  }

  /**
   * Whether to send the request again; counts on its being done. What may have been worked on is repeated only where its
   * method allows it.
   */
  allow({ condition, method, isRepeatable }: FailedAttempt): boolean {
    const { attempts, on } = this.#settings ?? OTHER_ENDPOINTS
    if (this.#count >= attempts || !isRepeatable) return false
    // A stream that was not looked at is as good as a connection that did not come about.
    if (!on.includes(condition === 'unprocessed' ? 'connect-failure' : condition)) return false
    if (condition !== 'connect-failure' && condition !== 'unprocessed' && !isIdempotent(method)) return false
    const { state, size } = this.#rotation
    if (this.#settings === undefined && condition === 'connect-failure' && size < 2) return false
    return state.retryBudget.take(state.requests, this.#engine.clock.monotonic())
  }

  /** The endpoint to send to, and how long to wait first: only where there is no other than the one that failed. */
  next(failed: EndpointPool): { readonly pool: EndpointPool; readonly delayMs: number } {
    const now = this.#engine.clock.monotonic()
    const delayMs = FIRST_BACK_OFF_MS * 2 ** this.#count
    this.#count += 1
    const pool = this.#rotation.choose(now, { leastRequests: false, except: failed })
    return pool === undefined || pool === failed ? { pool: failed, delayMs } : { pool, delayMs: 0 }
  }
}

/** Whether a method may be sent twice. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method)
}

/** The condition that a status is, if it is one. */
export function conditionOfStatus(status: number): RetryCondition | undefined {
  return CONDITION_OF_STATUS.get(status)
}
