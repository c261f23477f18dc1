import { type buildConnector, Client, type Dispatcher, Pool } from 'undici'
import type { Endpoint, RoutingTable, UpstreamId } from '../table/routing-table.ts'

/** Milliseconds each. */
export interface UpstreamTimeouts {
  /** Until the connection stands. Default 10 s. */
  readonly connectMs: number
  /** From the end of the request to the response's headers. Default 60 s; bodies have no time-out. */
  readonly headersMs: number
  /** How long an idle connection is kept. Default 4 s, below what servers usually keep theirs. */
  readonly keepAliveMs: number
}

export const UPSTREAM_TIMEOUTS: UpstreamTimeouts = {
  connectMs: 10_000,
  headersMs: 60_000,
  keepAliveMs: 4_000,
}

/** How many requests one connection has carried; 0 until the first is written. */
export interface UpstreamConnection {
  requests: number
}

/** A handler that is told its connection, so that it knows a reused one when it dies. */
export interface UpstreamHandler extends Dispatcher.DispatchHandler {
  connection: UpstreamConnection | undefined
}

/** One connection to one endpoint: undici's client carries one HTTP/1.1 request at a time. */
class EndpointClient extends Client {
  readonly #connection: UpstreamConnection

  constructor(origin: string | URL, options: Client.Options) {
    const connection: UpstreamConnection = { requests: 0 }
    const connect = options.connect
    super(
      origin,
      typeof connect === 'function' ? { ...options, connect: counting(connect, connection) } : options,
    )
    this.#connection = connection
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    ;(handler as UpstreamHandler).connection = this.#connection
    return super.dispatch(options, handler)
  }
}

function counting(
  connect: buildConnector.connector,
  connection: UpstreamConnection,
): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      connection.requests = 0
      callback(...result)
    })
}

/** The connections to one endpoint, made when the first request comes. */
export class EndpointPool {
  readonly #origin: string
  readonly #options: Pool.Options
  #pool: Pool | undefined
  #retired = false

  constructor(origin: string, options: Pool.Options) {
    this.#origin = origin
    this.#options = options
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: UpstreamHandler): void {
    if (this.#retired) {
      this.dispatchOnFreshConnection(options, handler)
      return
    }
    this.#pool ??= new Pool(this.#origin, this.#options)
    this.#pool.dispatch(options, handler)
  }

  /** On a connection that carries this request only. */
  dispatchOnFreshConnection(options: Dispatcher.DispatchOptions, handler: UpstreamHandler): void {
    // A pool of one, because only a pool builds the connector from these options.
    const pool = new Pool(this.#origin, { ...this.#options, connections: 1 })
    pool.dispatch(options, handler)
    pool.close(ignore)
  }

  /** Takes no idle connection any more; requests under way finish. Later requests get connections of their own. */
  async retire(): Promise<void> {
    this.#retired = true
    await this.#pool?.close()
  }

  /** Cuts every connection. */
  async destroy(): Promise<void> {
    this.#retired = true
    await this.#pool?.destroy()
  }
}

function ignore(): void {}

/** The endpoints of one upstream as one snapshot has them, in rotation. */
export class UpstreamRotation {
  readonly #endpoints: readonly EndpointPool[]
  readonly #turn: { next: number }

  constructor(endpoints: readonly EndpointPool[], turn: { next: number }) {
    this.#endpoints = endpoints
    this.#turn = turn
  }

  /** Round robin; `undefined` where there is no endpoint. */
  next(): EndpointPool | undefined {
    const count = this.#endpoints.length
    if (count === 0) return undefined
    const turn = this.#turn.next % count
    this.#turn.next = turn + 1
    return this.#endpoints[turn]
  }
}

/**
 * One pool per endpoint address and port, shared by every upstream that has it and kept from one snapshot to the
 * next, so that a publish costs no connection.
 */
export class UpstreamPools {
  readonly #options: Pool.Options
  readonly #pools = new Map<string, EndpointPool>()
  readonly #turns = new Map<UpstreamId, { next: number }>()

  constructor(timeouts: UpstreamTimeouts = UPSTREAM_TIMEOUTS) {
    this.#options = {
      allowH2: false,
      pipelining: 1,
      connectTimeout: timeouts.connectMs,
      headersTimeout: timeouts.headersMs,
      // A quiet stream is no error: events and long polls may pause for as long as they like.
      bodyTimeout: 0,
      keepAliveTimeout: timeouts.keepAliveMs,
      maxHeaderSize: 65_536,
      factory: (origin, options) => new EndpointClient(origin, options),
    }
  }

  /** The rotation of an upstream of the table that is current; its turn goes on over publishes. */
  rotation(id: UpstreamId, endpoints: readonly Endpoint[]): UpstreamRotation {
    let turn = this.#turns.get(id)
    if (turn === undefined) {
      turn = { next: 0 }
      this.#turns.set(id, turn)
    }
    return new UpstreamRotation(
      endpoints.map((endpoint) => this.#pool(endpointOrigin(endpoint))),
      turn,
    )
  }

  /** Retires the pools of endpoints that the table does not name. */
  retain(table: RoutingTable): void {
    const kept = new Set<string>()
    for (const upstream of Object.values(table.upstreams)) {
      for (const endpoint of upstream.endpoints) kept.add(endpointOrigin(endpoint))
    }
    for (const [origin, pool] of this.#pools) {
      if (kept.has(origin)) continue
      this.#pools.delete(origin)
      void pool.retire()
    }
    for (const id of this.#turns.keys()) if (table.upstreams[id] === undefined) this.#turns.delete(id)
  }

  /** Lets requests under way finish. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.retire()))
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
  }

  #pool(origin: string): EndpointPool {
    let pool = this.#pools.get(origin)
    if (pool === undefined) {
      pool = new EndpointPool(origin, this.#options)
      this.#pools.set(origin, pool)
    }
    return pool
  }
}

function endpointOrigin({ address, port }: Endpoint): string {
  return address.includes(':') ? `http://[${address}]:${port}` : `http://${address}:${port}`
}
