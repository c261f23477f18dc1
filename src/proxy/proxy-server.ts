import type { AuditObserver } from '../audit-event.ts'
import type { Authorizer } from '../auth/authorize.ts'
import type { CacheCounts } from '../auth/cache-counts.ts'
import { systemTimers, type Clock, type Timers } from '../clock.ts'
import { cacheFamilies } from '../observability/cache-families.ts'
import { createRecentRequests } from '../observability/recent-requests.ts'
import { RequestMetrics, type MetricFamily } from '../observability/request-metrics.ts'
import type { RequestRecorder } from '../observability/request-record.ts'
import type { RequestTraces } from '../observability/request-trace.ts'
import type { SessionMetrics } from '../observability/session-metrics.ts'
import { EMPTY_LIVE_TABLE, liveTableOf, routesOf } from '../table/live-table.ts'
import { findVirtualHost } from '../table/route-index.ts'
import type { Snapshot } from '../table/routing-table.ts'
import { ActiveSnapshot, type LiveSnapshot } from './active-snapshot.ts'
import { CLIENT_LIMITS, type ClientLimits } from './client-limits.ts'
import { drain, lingerMs } from './drain.ts'
import { noteEarlyRefusal } from './early-refusal.ts'
import { Exchange, type Engine, type ProxyLog } from './exchange.ts'
import { listen, type ListenAddress } from './listen.ts'
import { createListener, type Listener, type RefusalHandler, type RequestHandler } from './listener.ts'
import { handle } from './pipeline.ts'
import { ServerNames, TLS_SETTINGS, type KeyPair, type TlsSettings } from './server-names.ts'
import { createTlsListener, type TlsListener, type TlsListenerOptions } from './tls-listener.ts'
import { createRateLimiter, type RateLimiter } from './traffic/rate-limiter.ts'
import { reportOf, type ReportQuestion, type ThreadReport } from './thread-report.ts'
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
  readonly tls?: TlsSettings
  /** The port of HTTPS as clients see it, for redirects. Default 443. */
  readonly httpsRedirectPort?: number
  readonly upstreamTimeouts?: Partial<UpstreamTimeouts>
  /** Ports of this process beside its listeners, which no upstream's name may lead to. Default: none. */
  readonly ownPorts?: readonly number[]
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
  /** Told of every request. Default: nobody is. */
  readonly recorder?: RequestRecorder
  /** Told of refusals. Default: nobody is. */
  readonly audit?: AuditObserver
  /** Begins the traces of requests. Default: trace contexts pass as they come. */
  readonly traces?: RequestTraces
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
  report(question: ReportQuestion): ThreadReport
  /** Lets requests under way finish for so long, then cuts them. */
  close(options: { readonly drainMs: number }): Promise<void>
}

const NO_SNAPSHOT: LiveSnapshot = { version: 0, live: EMPTY_LIVE_TABLE, sessionKeys: [] }

/** Before the first publish every request is answered 503. */
export async function createProxyServer(
  options: ProxyServerOptions,
  dependencies: ProxyServerDependencies,
): Promise<ProxyServer> {
  const { authorizer, audit, clock, log, recorder, timers = systemTimers, traces } = dependencies
  const metrics = new RequestMetrics()
  const recent = createRecentRequests()
  const pools = new UpstreamPools({ ...UPSTREAM_TIMEOUTS, ...options.upstreamTimeouts }, options.ownPorts)
  const limits: ClientLimits = { ...CLIENT_LIMITS, ...options.limits }
  let lingering = true
  const engine: Engine = {
    authorizer,
    clock,
    timers,
    log,
    metrics,
    recent,
    ...(recorder !== undefined && { recorder }),
    ...(audit !== undefined && { audit }),
    ...(traces !== undefined && { traces }),
    trustedProxies: createTrustedProxies(options.trustedProxies ?? []),
    rateLimiter: dependencies.rateLimiter ?? createRateLimiter(),
    httpsRedirectPort: options.httpsRedirectPort ?? 443,
    snapshot: new ActiveSnapshot(NO_SNAPSHOT, pools, metrics),
    limits,
    draining: false,
    closeIdleConnections: () => {
      if (lingering) return
      http?.server.closeIdleConnections()
      https?.server.closeIdleConnections()
      https?.closeWaiting()
    },
  }
  const onRequest: RequestHandler = (request, response, upgrading) => {
    handle(new Exchange(engine, request, response, upgrading))
  }
  const onRefused: RefusalHandler = (refusal) => noteEarlyRefusal(engine, refusal)
  const names =
    options.defaultCertificate === undefined
      ? undefined
      : new ServerNames(options.defaultCertificate, log, options.tls ?? TLS_SETTINGS)
  const http = options.http === undefined ? undefined : await createListener(onRequest, { limits, onRefused })
  const authoritiesOf: TlsListenerOptions['authoritiesOf'] = (host) =>
    findVirtualHost(engine.snapshot.index, host)?.virtualHost.clientAuthorities
  const https =
    options.https === undefined
      ? undefined
      : await createHttps(onRequest, options, { names, limits, onRefused, authoritiesOf, log })
  if (http !== undefined) countConnections(http, 'http', metrics)
  if (https !== undefined) countConnections(https, 'https', metrics)
  let live = EMPTY_LIVE_TABLE
  let counted = live
  const run = (snapshot: LiveSnapshot): void => {
    live = snapshot.live
    engine.snapshot = new ActiveSnapshot(snapshot, pools, metrics)
    pools.retain(engine.snapshot)
    if (names?.publish(live) === true) https?.setDefaultContext()
  }
  // Here and not at each publish, which must not cost what the whole table does.
  const currentFamilies = (): MetricFamily[] => {
    if (counted !== live) {
      metrics.retain(routesOf(live), live.judging.policies)
      recent.decisions.retain(live.judging.policies)
    }
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
    report: (question) => reportOf(question, { metrics, recent, pools, clock }),
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

function createHttps(
  onRequest: RequestHandler,
  options: ProxyServerOptions,
  parts: Omit<TlsListenerOptions, 'names'> & { readonly names: ServerNames | undefined },
): Promise<TlsListener> {
  const { names, ...rest } = parts
  if (names === undefined) throw new TypeError('an https listener needs a defaultCertificate')
  const { ticketKeys } = options
  return createTlsListener(onRequest, { ...rest, names, ...(ticketKeys !== undefined && { ticketKeys }) })
}

function countConnections({ server }: Listener, kind: 'http' | 'https', metrics: RequestMetrics): void {
  server.on('connection', (socket: NodeJS.EventEmitter) => {
    metrics.connectionOpened(kind)
    socket.once('close', () => metrics.connectionClosed(kind))
  })
  server.on('drop', () => metrics.connectionRefused(kind))
}
