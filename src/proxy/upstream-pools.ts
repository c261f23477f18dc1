import { guardedLookup, noLocalAddress } from '../auth/authorization-server/address-guard.ts'
import type { Endpoint, Upstream, UpstreamId } from '../table/routing-table.ts'
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
  upstream(id: UpstreamId): Upstream | undefined
  readonly secret: SecretLookup
}

/** What of an upstream was used, by rotations of whatever snapshot. */
interface Use {
  readonly state: UpstreamState
  readonly pools: Set<string>
  transport: string
  /** As it was when its pools were looked at last. */
  upstream: Upstream | undefined
  /** To be looked at again whether it changed or not: a secret may have, or the rotation was of an old snapshot. */
  isDoubtful: boolean
}

/** Tokens for the endpoints of an upstream; `undefined` where there is no key to make them with. */
export type CreateTokens = (upstream: UpstreamId, origins: readonly string[]) => AffinityTokens | undefined

/**
 * One pool per endpoint address, port and kind of connection, shared by every upstream that has it and kept from one
 * snapshot to the next, so that a publish costs no connection.
 */
export class UpstreamPools {
  readonly #timeouts: UpstreamTimeouts
  readonly #ownPorts: readonly number[]
  readonly #plain: Transport
  readonly #pools = new Map<string, EndpointPool>()
  readonly #uses = new Map<UpstreamId, Use>()
  /** How many upstreams use each pool. */
  readonly #users = new Map<string, number>()
  /** By key; connections of a kind share their TLS sessions. */
  readonly #transports = new Map<string, Transport>()

  /** @param ownPorts What listens there on this machine's own addresses is no upstream, whatever a name resolves to. */
  constructor(timeouts: UpstreamTimeouts = UPSTREAM_TIMEOUTS, ownPorts: readonly number[] = []) {
    this.#timeouts = timeouts
    this.#ownPorts = ownPorts
    this.#plain = plainTransport(timeouts)
  }

  /** The rotation of an upstream of the table that is current; its turn goes on over publishes. */
  rotation(upstream: Upstream, secret: SecretLookup, createTokens: CreateTokens): UpstreamRotation {
    const { id, endpoints, settings } = upstream
    const transport = this.#transport(id, settings, secret)
    const use = this.#use(id)
    use.transport = transport.key
    use.isDoubtful ||= upstream !== use.upstream
    return new UpstreamRotation(
      transport,
      endpoints.map((endpoint) => this.#pool(endpoint, transport, use)),
      use.state,
      (origins) => createTokens(id, origins),
    )
  }

  /**
   * Retires the pools that the snapshot has no use for. Of the upstreams that had requests only those are looked into
   * that are not the same object as before, so that a publish costs what it changes.
   */
  retain(source: UpstreamSource): void {
    let isAnyLooked = false
    for (const [id, use] of this.#uses) {
      const upstream = source.upstream(id)
      if (upstream === use.upstream && !use.isDoubtful) continue
      isAnyLooked = true
      this.#reconsider(id, use, upstream, source.secret)
    }
    if (!isAnyLooked) return
    const transports = new Set([...this.#uses.values()].map(({ transport }) => transport))
    for (const key of this.#transports.keys()) if (!transports.has(key)) this.#transports.delete(key)
  }

  /** The endpoints of an upstream that had requests; none where it had none. */
  poolsOf(id: UpstreamId): EndpointPool[] {
    const keys = [...(this.#uses.get(id)?.pools ?? [])]
    return keys.flatMap((key) => this.#pools.get(key) ?? [])
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

  #use(id: UpstreamId): Use {
    let use = this.#uses.get(id)
    if (use === undefined) {
      use = {
        state: new UpstreamState(),
        pools: new Set(),
        transport: '',
        upstream: undefined,
        isDoubtful: true,
      }
      this.#uses.set(id, use)
    }
    return use
  }

  #pool(endpoint: Endpoint, transport: Transport, use: Use): EndpointPool {
    const origin = endpointOrigin(endpoint, transport)
    const key = poolKey(origin, transport)
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      const lookup = this.#ownPorts.includes(endpoint.port) ? guardedLookup(noLocalAddress) : undefined
      pool = new EndpointPool(origin, transport, lookup)
      this.#pools.set(key, pool)
    }
    if (!use.pools.has(key)) {
      use.pools.add(key)
      this.#users.set(key, (this.#users.get(key) ?? 0) + 1)
    }
    return pool
  }

  /** @param upstream As it is now; undefined: gone. */
  #reconsider(id: UpstreamId, use: Use, upstream: Upstream | undefined, secret: SecretLookup): void {
    const kept = upstream === undefined ? new Set<string>() : this.#poolKeys(upstream, use, secret)
    for (const key of use.pools) {
      if (kept.has(key)) continue
      use.pools.delete(key)
      this.#leave(key)
    }
    use.upstream = upstream
    use.isDoubtful = upstream !== undefined && hasSecret(upstream)
    if (upstream === undefined) this.#uses.delete(id)
  }

  #poolKeys({ id, endpoints, settings }: Upstream, use: Use, secret: SecretLookup): Set<string> {
    const transport = this.#transport(id, settings, secret)
    use.transport = transport.key
    return new Set(endpoints.map((endpoint) => poolKey(endpointOrigin(endpoint, transport), transport)))
  }

  #leave(key: string): void {
    const users = (this.#users.get(key) ?? 0) - 1
    if (users > 0) {
      this.#users.set(key, users)
      return
    }
    this.#users.delete(key)
    void this.#pools.get(key)?.retire()
    this.#pools.delete(key)
  }
}

function hasSecret({ settings }: Upstream): boolean {
  return settings?.tls?.clientCertificate !== undefined
}

function poolKey(origin: string, { key }: Transport): string {
  return key === '' ? origin : `${origin} ${key}`
}
