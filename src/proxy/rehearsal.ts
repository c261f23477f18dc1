import type { Socket } from 'node:net'
import { duplexPair, type Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Authorizer } from '../auth/authorize.ts'
import type { RequestFacts } from '../auth/request-facts.ts'
import { systemTimers, type Clock } from '../clock.ts'
import { createRecentRequests } from '../observability/recent-requests.ts'
import { RequestMetrics } from '../observability/request-metrics.ts'
import { findVirtualHost } from '../table/route-index.ts'
import type { UpstreamId, VirtualHost } from '../table/routing-table.ts'
import { ActiveSnapshot, type LiveSnapshot } from './active-snapshot.ts'
import { CLIENT_LIMITS, type ClientLimits } from './client-limits.ts'
import { askedFor } from './client-certificates/client-certificate.ts'
import { Exchange, type Engine } from './exchange.ts'
import { noteEarlyRefusal } from './early-refusal.ts'
import { createListener, type RefusalHandler, type RequestHandler } from './listener.ts'
import { rehearse } from './pipeline.ts'
import { createRateLimiter } from './traffic/rate-limiter.ts'
import { createTrustedProxies } from './trusted-proxies.ts'
import { UpstreamPools } from './upstream-pools.ts'
import type { Leg } from './upstream/leg.ts'

/** A request as it would come, and how. It has no body. */
export interface RehearsedRequest {
  /** Request line and fields with the empty line behind them, one byte a character. */
  readonly head: string
  readonly clientAddress: string
  readonly scheme: 'http' | 'https'
  /** SNI of the handshake. */
  readonly serverName?: string
}

export interface RehearsalDependencies {
  readonly snapshot: LiveSnapshot
  readonly authorizer: Authorizer
  readonly clock: Clock
  /** As `ProxyServerOptions` has them. */
  readonly trustedProxies?: readonly string[]
  readonly httpsRedirectPort?: number
  readonly limits?: Partial<ClientLimits>
}

/** What Ostiary would answer in its own name. */
export interface RehearsedResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** What would become of a request. */
export interface Rehearsal {
  readonly isEncrypted: boolean
  /** The names of the pipeline's steps in their order, up to the one that stopped it; empty: it was no request. */
  readonly steps: readonly string[]
  /** What the steps found out. */
  readonly found: Partial<Pick<Exchange, 'authority' | 'target' | 'route' | 'upstreamPath' | 'view'>> & {
    readonly virtualHost?: VirtualHost
    /** What authorization is told, or would be. */
    readonly facts?: RequestFacts
    /** Absent: it would not be sent. */
    readonly upstream?: UpstreamId
  }
  /** Absent: it would be sent to its upstream. */
  readonly response?: RehearsedResponse
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Lets a request take the way of every other, from its bytes on, up to where it would be sent to its upstream. Nothing
 * listens and no upstream is asked; the authorizer is the caller's.
 */
export async function rehearseRequest(
  request: RehearsedRequest,
  dependencies: RehearsalDependencies,
): Promise<Rehearsal> {
  const pools = new UpstreamPools()
  const engine = createEngine(dependencies, pools)
  const steps: string[] = []
  const ended = Promise.withResolvers<Exchange | undefined>()
  let seen: Exchange | undefined
  let leg: Leg | undefined
  const onRequest: RequestHandler = (message, response, upgrading) => {
    const exchange = new Exchange(engine, message, response, upgrading)
    seen = exchange
    void rehearse(exchange, (step) => steps.push(step)).then((reached) => {
      leg = reached
      if (leg !== undefined || response.writableFinished) ended.resolve(exchange)
      else response.once('close', () => ended.resolve(exchange))
    })
  }
  const { limits } = engine
  const onRefused: RefusalHandler = (refusal) => noteEarlyRefusal(engine, refusal)
  const listener = await createListener(onRequest, { limits, onRefused })
  const [client, server] = duplexPair()
  const answer = collect(client)
  server.once('close', () => ended.resolve(seen))
  client.once('end', () => ended.resolve(seen))
  listener.server.emit('connection', asSocket(server, request, engine))
  client.write(request.head, 'latin1')
  try {
    const exchange = await ended.promise
    const found = exchange === undefined ? {} : foundBy(exchange, leg)
    return {
      isEncrypted: request.scheme === 'https',
      steps,
      found,
      ...(leg === undefined && { response: parseResponse(answer()) }),
    }
  } finally {
    client.destroy()
    server.destroy()
    await Promise.all([pools.destroy(), listener.app.close()])
  }
}

function createEngine(
  {
    snapshot,
    authorizer,
    clock,
    trustedProxies = [],
    httpsRedirectPort = 443,
    limits,
  }: RehearsalDependencies,
  pools: UpstreamPools,
): Engine {
  const metrics = new RequestMetrics()
  return {
    authorizer,
    clock,
    metrics,
    recent: createRecentRequests(),
    timers: systemTimers,
    log: SILENT,
    trustedProxies: createTrustedProxies(trustedProxies),
    rateLimiter: createRateLimiter(),
    httpsRedirectPort,
    snapshot: new ActiveSnapshot(snapshot, pools, metrics),
    limits: { ...CLIENT_LIMITS, ...limits },
    draining: false,
    closeIdleConnections() {},
  }
}

/** What node:http and the pipeline ask of a socket, beside being a stream. A client shows no certificate. */
function asSocket(
  stream: Duplex,
  { clientAddress, scheme, serverName }: RehearsedRequest,
  engine: Engine,
): Duplex {
  const itself = (): Duplex => stream
  const socket = Object.assign(stream, {
    remoteAddress: clientAddress,
    encrypted: scheme === 'https',
    setTimeout: itself,
    setKeepAlive: itself,
    setNoDelay: itself,
    destroySoon: () => stream.end(),
    getPeerX509Certificate: () => undefined,
  }) as unknown as Socket
  if (scheme === 'https' && serverName !== undefined) {
    const host = findVirtualHost(engine.snapshot.index, serverName)
    const authorities = host?.virtualHost.clientAuthorities
    if (authorities !== undefined) askedFor(socket as TLSSocket, authorities.id)
  }
  return socket
}

function collect(client: Duplex): () => string {
  const chunks: Buffer[] = []
  client.on('data', (chunk: Buffer) => chunks.push(chunk))
  client.on('error', () => {})
  return () => Buffer.concat(chunks).toString('utf8')
}

function foundBy(exchange: Exchange, leg: Leg | undefined): Rehearsal['found'] {
  const { authority, target, route, upstreamPath, view } = exchange
  const virtualHost = (exchange.host as Exchange['host'] | undefined)?.virtualHost
  return {
    authority,
    target,
    view,
    route,
    ...(virtualHost !== undefined && { virtualHost, facts: withoutBody(exchange.facts) }),
    ...(upstreamPath !== undefined && { upstreamPath }),
    ...(leg !== undefined && { upstream: leg.upstream }),
  }
}

/** The connection is gone when they are asked. */
function withoutBody(facts: RequestFacts): RequestFacts {
  const { method, scheme, host, authority, target, path, query, clientAddress, headers } = facts
  const form = (): Promise<undefined> => Promise.resolve(undefined)
  return { method, scheme, host, authority, target, path, query, clientAddress, headers, form }
}

/** Of what this process has written itself. */
function parseResponse(text: string): RehearsedResponse {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers: lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
    body: text.slice(end + 4),
  }
}
