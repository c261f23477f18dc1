import type { RoutingTable, Upstream, UpstreamId } from '../table/routing-table.ts'
import type { UpstreamSettings } from '../table/upstream-settings.ts'
import type { AffinityTokens } from './upstream/affinity.ts'
import { endpointOrigin, EndpointPool } from './upstream/endpoint-pool.ts'
import { UpstreamRotation, UpstreamState } from './upstream/rotation.ts'
import {
  createTransport,
  plainTransport,
  UPSTREAM_TIMEOUTS,
  type SecretLookup,
  type Transport,
  type UpstreamTimeouts,
} from './upstream/transport.ts'

/** What of a snapshot the way to its upstreams needs. */
export interface UpstreamSource {
  readonly table: RoutingTable
  readonly secret: SecretLookup
}

/** Tokens for the endpoints of an upstream; `undefined` where there is no key to make them with. */
export type CreateTokens = (upstream: UpstreamId, origins: readonly string[]) => AffinityTokens | undefined

/**
 * One pool per endpoint address, port and kind of connection, shared by every upstream that has it and kept from one
 * snapshot to the next, so that a publish costs no connection.
 */
export class UpstreamPools {
  readonly #timeouts: UpstreamTimeouts
  readonly #plain: Transport
  readonly #pools = new Map<string, EndpointPool>()
  readonly #states = new Map<UpstreamId, UpstreamState>()
  /** By key; connections of a kind share their TLS sessions. */
  readonly #transports = new Map<string, Transport>()

  constructor(timeouts: UpstreamTimeouts = UPSTREAM_TIMEOUTS) {
    this.#timeouts = timeouts
    this.#plain = plainTransport(timeouts)
  }

  /** The rotation of an upstream of the table that is current; its turn goes on over publishes. */
  rotation(upstream: Upstream, secret: SecretLookup, createTokens: CreateTokens): UpstreamRotation {
    const { id, endpoints, settings } = upstream
    let state = this.#states.get(id)
    if (state === undefined) {
      state = new UpstreamState()
      this.#states.set(id, state)
    }
    const transport = this.#transport(id, settings, secret)
    return new UpstreamRotation(
      transport,
      endpoints.map((endpoint) => this.#pool(endpointOrigin(endpoint, transport), transport)),
      state,
      (origins) => createTokens(id, origins),
    )
  }

  /** Retires the pools that the snapshot has no use for. */
  retain({ table, secret }: UpstreamSource): void {
    const kept = new Set<string>()
    const transports = new Set<string>()
    for (const { id, endpoints, settings } of Object.values(table.upstreams)) {
      const transport = this.#transport(id, settings, secret)
      transports.add(transport.key)
      for (const endpoint of endpoints) kept.add(poolKey(endpointOrigin(endpoint, transport), transport))
    }
    for (const [key, pool] of this.#pools) {
      if (kept.has(key)) continue
      this.#pools.delete(key)
      void pool.retire()
    }
    for (const key of this.#transports.keys()) if (!transports.has(key)) this.#transports.delete(key)
    for (const id of this.#states.keys()) if (table.upstreams[id] === undefined) this.#states.delete(id)
  }

  /** Lets requests under way finish. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.retire()))
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
  }

  #transport(id: UpstreamId, settings: UpstreamSettings | undefined, secret: SecretLookup): Transport {
    if (settings === undefined) return this.#plain
    const made = createTransport(settings, id, this.#timeouts, secret)
    const known = this.#transports.get(made.key)
    if (known !== undefined) return known
    this.#transports.set(made.key, made)
    return made
  }

  #pool(origin: string, transport: Transport): EndpointPool {
    const key = poolKey(origin, transport)
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = new EndpointPool(origin, transport)
      this.#pools.set(key, pool)
    }
    return pool
  }
}

function poolKey(origin: string, { key }: Transport): string {
  return key === '' ? origin : `${origin} ${key}`
}
