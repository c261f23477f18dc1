import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:tls'
import type { Authorizer } from '../auth/authorize.ts'
import type { CacheCounts } from '../auth/cache-counts.ts'
import { systemTimers, type Clock, type Timers } from '../clock.ts'
import { cacheFamilies } from '../observability/cache-families.ts'
import { RequestMetrics, type MetricFamily } from '../observability/request-metrics.ts'
import type { SessionMetrics } from '../observability/session-metrics.ts'
import { EMPTY_LIVE_TABLE, liveTableOf, routesOf } from '../table/live-table.ts'
import type { Snapshot } from '../table/routing-table.ts'
import { ActiveSnapshot, type LiveSnapshot } from './active-snapshot.ts'
import { CLIENT_LIMITS, type ClientLimits } from './client-limits.ts'
import { drain, lingerMs } from './drain.ts'
import { Exchange, type Engine, type ProxyLog } from './exchange.ts'
import { listen, type ListenAddress } from './listen.ts'
import { createListener, type Listener, type RequestHandler } from './listener.ts'
import { handle } from './pipeline.ts'
import { secureContextOptions, ServerNames, type KeyPair } from './server-names.ts'
import { createRateLimiter, type RateLimiter } from './traffic/rate-limiter.ts'
import { createTrustedProxies } from './trusted-proxies.ts'
import { UpstreamPools } from './upstream-pools.ts'
import { UPSTREAM_TIMEOUTS, type UpstreamTimeouts } from './upstream/transport.ts'

export interface ProxyServerOptions {
  /** Absent: no such listener. */
  readonly http?: ListenAddress
  readonly https?: ListenAddress
  /** Networks whose forwarding headers are believed. Default: none. */
  readonly trustedProxies?: readonly string[]
  /** For TLS clients without a certificate of their own; needed with `https`. */
  readonly defaultCertificate?: KeyPair
  /** 48 bytes that threads share, so that a TLS session made in one is resumed in another. */
  readonly ticketKeys?: Uint8Array
  /** The port of HTTPS as clients see it, for redirects. Default 443. */
  readonly httpsRedirectPort?: number
  readonly upstreamTimeouts?: Partial<UpstreamTimeouts>
  /** What clients may take. Default: {@link CLIENT_LIMITS}. */
  readonly limits?: Partial<ClientLimits>
  /** For the authorizer: see `AuthDependencies.allowLoopback`. */
  readonly allowLoopbackSessionStores?: boolean
}

export interface ProxyServerDependencies {
  readonly authorizer: Authorizer
  /** What the authorizer remembers, for metrics. Default: nothing is told of it. */
  readonly caches?: CacheCounts
  /** Likewise of its sessions. */
  readonly sessions?: SessionMetrics
  readonly clock: Clock
  readonly log: ProxyLog
  /** Default: the system's. */
  readonly timers?: Timers
  /** Default: one that counts for this server alone. */
  readonly rateLimiter?: RateLimiter
}

/** The ports that are listened on. */
export interface ListeningPorts {
  readonly http?: number
  readonly https?: number
}

/** The data plane of one thread. */
export interface ProxyServer {
  /** @throws OstiaryError ERR_LISTEN */
  listen(): Promise<ListeningPorts>
  /** Swaps what new requests run on; those under way keep theirs. */
  run(snapshot: LiveSnapshot): void
  /** As `run`, with a snapshot that is not arranged for requests yet. */
  publish(snapshot: Snapshot): void
  metrics(): MetricFamily[]
  /** Lets requests under way finish for so long, then cuts them. */
  close(options: { readonly drainMs: number }): Promise<void>
}

const NO_SNAPSHOT: LiveSnapshot = { version: 0, live: EMPTY_LIVE_TABLE, sessionKeys: [] }

/** Before the first publish every request is answered 503. */
export async function createProxyServer(
  options: ProxyServerOptions,
  dependencies: ProxyServerDependencies,
): Promise<ProxyServer> {
  const { authorizer, clock, log, timers = systemTimers } = dependencies
  const metrics = new RequestMetrics()
  const pools = new UpstreamPools({ ...UPSTREAM_TIMEOUTS, ...options.upstreamTimeouts })
  const limits: ClientLimits = { ...CLIENT_LIMITS, ...options.limits }
  let lingering = true
  const engine: Engine = {
    authorizer,
    clock,
    timers,
    log,
    metrics,
    trustedProxies: createTrustedProxies(options.trustedProxies ?? []),
    rateLimiter: dependencies.rateLimiter ?? createRateLimiter(),
    httpsRedirectPort: options.httpsRedirectPort ?? 443,
    snapshot: new ActiveSnapshot(NO_SNAPSHOT, pools, metrics),
    limits,
    underway: 0,
    draining: false,
    closeIdleConnections: () => {
      if (lingering) return
      http?.server.closeIdleConnections()
      https?.server.closeIdleConnections()
    },
  }
  const onRequest: RequestHandler = (request, response, upgrading) => {
    handle(new Exchange(engine, request, response, upgrading))
  }
  const names =
    options.defaultCertificate === undefined ? undefined : new ServerNames(options.defaultCertificate, log)
  const http = options.http === undefined ? undefined : await createListener(onRequest, limits)
  const https =
    options.https === undefined ? undefined : await createTlsListener(onRequest, names, limits, options)
  if (http !== undefined) countConnections(http, 'http', metrics)
  if (https !== undefined) countConnections(https, 'https', metrics)
  let live = EMPTY_LIVE_TABLE
  let counted = live
  const run = (snapshot: LiveSnapshot): void => {
    live = snapshot.live
    engine.snapshot = new ActiveSnapshot(snapshot, pools, metrics)
    pools.retain(engine.snapshot)
    if (names?.publish(live) === true) setDefaultContext(https, names, options)
  }
  // Here and not at each publish, which must not cost what the whole table does.
  const currentFamilies = (): MetricFamily[] => {
    if (counted !== live) metrics.retain(routesOf(live))
    counted = live
    return metrics.families()
  }
  return {
    async listen() {
      return {
        ...(http !== undefined && { http: await listen(http.server, options.http ?? { port: 0 }) }),
        ...(https !== undefined && { https: await listen(https.server, options.https ?? { port: 0 }) }),
      }
    },
    publish: (snapshot) => run({ ...snapshot, live: liveTableOf(snapshot) }),
    run,
    metrics: () => [
      ...currentFamilies(),
      ...cacheFamilies(dependencies.caches?.list() ?? []),
      ...(dependencies.sessions?.families() ?? []),
    ],
    async close({ drainMs }) {
      engine.draining = true
      const open = [http, https].filter((listener) => listener !== undefined)
      const cancel = timers.after(lingerMs(drainMs), () => {
        lingering = false
        engine.closeIdleConnections()
      })
      await Promise.all(open.map((listener) => drain(listener, drainMs, timers)))
      cancel()
      await pools.destroy()
      await Promise.all(open.map(({ app }) => app.close()))
    },
  }
}

async function createTlsListener(
  onRequest: RequestHandler,
  names: ServerNames | undefined,
  limits: ClientLimits,
  options: ProxyServerOptions,
): Promise<Listener> {
  if (names === undefined) throw new TypeError('an https listener needs a defaultCertificate')
  const listener = await createListener(onRequest, limits, names)
  setDefaultContext(listener, names, options)
  return listener
}

/** The ticket keys go along: without them every call would end all TLS sessions. */
function setDefaultContext(
  listener: Listener | undefined,
  names: ServerNames,
  { ticketKeys }: ProxyServerOptions,
): void {
  const tls = listener?.server as (Server & TlsServer) | undefined
  tls?.setSecureContext({
    ...secureContextOptions(names.defaultPair),
    ...(ticketKeys !== undefined && { ticketKeys: Buffer.from(ticketKeys) }),
  })
}

function countConnections({ server }: Listener, kind: 'http' | 'https', metrics: RequestMetrics): void {
  server.on('connection', (socket: NodeJS.EventEmitter) => {
    metrics.connectionOpened(kind)
    socket.once('close', () => metrics.connectionClosed(kind))
  })
}
