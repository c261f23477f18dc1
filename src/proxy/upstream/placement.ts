import type { ForwardingSettings } from '../../table/upstream-settings.ts'
import type { Exchange } from '../exchange.ts'
import { affinityCookie, readAffinity } from './affinity.ts'
import type { EndpointPool } from './endpoint-pool.ts'
import type { UpstreamRotation } from './rotation.ts'

/** The place of one request among those of an endpoint, where requests are counted or kept together. */
export class Placement {
  readonly #exchange: Exchange
  readonly #rotation: UpstreamRotation
  readonly #settings: ForwardingSettings | undefined
  /** Carries the request now. */
  #pool: EndpointPool | undefined
  /** What the client's cookie says. */
  #token = ''
  /** Another endpoint helps out that of the cookie, which is full: the client goes back to it. */
  #isLent = false

  constructor(exchange: Exchange, rotation: UpstreamRotation, settings: ForwardingSettings | undefined) {
    this.#exchange = exchange
    this.#rotation = rotation
    this.#settings = settings
  }

  /** Whether more than an endpoint's turn decides. */
  static needed({ transport }: UpstreamRotation, settings: ForwardingSettings | undefined): boolean {
    if (Number.isFinite(transport.maximumActive)) return true
    return settings?.loadBalancing !== undefined || settings?.affinityCookie !== undefined
  }

  /**
   * Takes a place; `undefined`: none is free.
   *
   * @param now on the monotonic clock
   */
  enter(now: number): EndpointPool | undefined {
    const leastRequests = this.#settings?.loadBalancing === 'least-requests'
    const pool = this.#pinned(now) ?? this.#rotation.choose(now, { leastRequests })
    if (pool !== undefined) this.reenter(pool)
    return pool
  }

  /** Takes a place at an endpoint that somebody else has chosen. */
  reenter(pool: EndpointPool): void {
    this.leave()
    this.#pool = pool
    pool.active += 1
  }

  /** Gives the place to the next who waits. May be called again. */
  leave(): void {
    if (this.#pool === undefined) return
    this.#pool.active -= 1
    this.#pool = undefined
    this.#rotation.state.pending.admitNext()
  }

  /** Adds to a response's header list what keeps the client at the endpoint that gave it. */
  addCookie(pool: EndpointPool, headers: string[]): void {
    const name = this.#settings?.affinityCookie
    const token = name === undefined ? undefined : this.#rotation.tokenOf(pool)
    if (name === undefined || token === undefined || token === this.#token || this.#isLent) return
    headers.push('Set-Cookie', affinityCookie(name, token, this.#isSecure()))
  }

  #pinned(now: number): EndpointPool | undefined {
    const name = this.#settings?.affinityCookie
    if (name === undefined) return undefined
    this.#token = readAffinity(this.#exchange.request.headers.cookie, name, this.#isSecure())
    const pool = this.#token === '' ? undefined : this.#rotation.endpointOf(this.#token)
    if (pool === undefined || pool.restingUntil > now) return undefined
    this.#isLent = pool.active >= this.#rotation.transport.maximumActive
    return this.#isLent ? undefined : pool
  }

  #isSecure(): boolean {
    return this.#exchange.view.scheme === 'https'
  }
}
