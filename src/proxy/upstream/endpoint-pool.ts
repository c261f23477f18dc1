import type { LookupFunction } from 'node:net'
import { type buildConnector, Client, type Dispatcher, Pool } from 'undici'
import type { Endpoint } from '../../table/routing-table.ts'
import type { Transport } from './transport.ts'

/** How many requests one connection has carried; 0 until the first is written. */
export interface UpstreamConnection {
  requests: number
}

/** A handler that is told its connection, so that it knows a reused one when it dies. */
export interface UpstreamHandler extends Dispatcher.DispatchHandler {
  connection: UpstreamConnection | undefined
}

/** undici takes `null` for what is not said, and a server name for TLS, but its types do not say so. */
export type UpstreamDispatchOptions = Omit<Dispatcher.DispatchOptions, 'reset'> & {
  readonly reset: boolean | null
  readonly servername: string | null
}

/** An endpoint that fails rests so long at first, twice as long each time that follows, and never longer than this. */
const FIRST_REST_MS = 1000
const LONGEST_REST_MS = 60_000

/** One connection to one endpoint: over HTTP/1.1 undici's client carries one request at a time. */
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

/** The connections to one endpoint, made when the first request comes, and how the endpoint has been of late. */
export class EndpointPool {
  readonly origin: string
  /** `address:port` */
  readonly address: string
  /** Requests that it carries; counted only where somebody asks for it. */
  active = 0
  /** Failures one after another; 0 after any answer. */
  failures = 0
  /** On the monotonic clock: it gets no requests before, while another endpoint does. */
  restingUntil = 0
  /** Why it rested last, whenever that was, in words for an operator. */
  lastFailure: { readonly atMs: number; readonly reason: string } | undefined
  readonly #options: Pool.Options
  #pool: Pool | undefined
  #retired = false

  /** @param lookup In place of the system's, for endpoints that have a name and no TLS. */
  constructor(origin: string, { options }: Transport, lookup?: LookupFunction) {
    this.origin = origin
    this.address = origin.slice(origin.indexOf('//') + 2)
    const connect = lookup !== undefined && typeof options.connect !== 'function' && { connect: { lookup } }
    this.#options = { ...options, ...connect, factory: createClient }
  }

  dispatch(options: UpstreamDispatchOptions, handler: UpstreamHandler): void {
    if (this.#retired) {
      this.dispatchOnFreshConnection(options, handler)
      return
    }
    this.#pool ??= new Pool(this.origin, this.#options)
    this.#pool.dispatch(options as Dispatcher.DispatchOptions, handler)
  }

  /** On a connection that carries this request only. */
  dispatchOnFreshConnection(options: UpstreamDispatchOptions, handler: UpstreamHandler): void {
    // A pool of one, because only a pool builds the connector from these options.
    const pool = new Pool(this.origin, { ...this.#options, connections: 1 })
    pool.dispatch(options as Dispatcher.DispatchOptions, handler)
    pool.close(ignore)
  }

  /**
   * It could not be reached, or broke a request off. Requests that fail together count once.
   *
   * @param now on the monotonic clock
   * @returns how long it rests; `undefined` where it rested already
   */
  failed(now: number): number | undefined {
    if (this.restingUntil > now) return undefined
    const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** this.failures)
    this.restingUntil = now + restMs
    this.failures += 1
    return restMs
  }

  answered(): void {
    this.failures = 0
    this.restingUntil = 0
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

function createClient(origin: URL, options: object): Client {
  return new EndpointClient(origin, options)
}

function ignore(): void {}

export function endpointOrigin({ address, port }: Endpoint, { scheme }: Transport): string {
  return address.includes(':') ? `${scheme}://[${address}]:${port}` : `${scheme}://${address}:${port}`
}
