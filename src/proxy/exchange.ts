import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Logger } from 'pino'
import type { AuditObserver } from '../audit-event.ts'
import type { Authorizer } from '../auth/authorize.ts'
import type { Allow, GoOn, HeaderList } from '../auth/decision.ts'
import type { Clock, Timers } from '../clock.ts'
import type { RecentRequests } from '../observability/recent-requests.ts'
import type { DecisionLabels, RequestMetrics } from '../observability/request-metrics.ts'
import type { RequestRecord, RequestRecorder } from '../observability/request-record.ts'
import type { RequestTrace, RequestTraces } from '../observability/request-trace.ts'
import type { IndexedHost } from '../table/route-index.ts'
import type { Route, RouteAction, UpstreamId } from '../table/routing-table.ts'
import type { ActiveSnapshot } from './active-snapshot.ts'
import type { ClientLimits } from './client-limits.ts'
import type { ClientRequest, ClientResponse } from './client-message.ts'
import { noteError } from './note-error.ts'
import { recordOf } from './record-of.ts'
import type { RequestAuthority } from './request-authority.ts'
import { createRequestFacts, type ProxyRequestFacts } from './request-facts.ts'
import type { RequestTarget } from './request-target.ts'
import type { RateLimiter } from './traffic/rate-limiter.ts'
import type { RouteRules } from './traffic/route-rules.ts'
import type { ConnectionView, TrustedProxies } from './trusted-proxies.ts'
import type { EndpointPool } from './upstream/endpoint-pool.ts'

export type ProxyLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

/** What every request of a thread shares. */
export interface Engine {
  readonly authorizer: Authorizer
  readonly trustedProxies: TrustedProxies
  readonly rateLimiter: RateLimiter
  readonly metrics: RequestMetrics
  readonly recent: RecentRequests
  readonly clock: Clock
  readonly timers: Timers
  readonly log: ProxyLog
  /** Absent: nothing is written down of requests. */
  readonly recorder?: RequestRecorder
  /** Absent: no audit is kept. */
  readonly audit?: AuditObserver
  /** Absent: trace contexts pass as they come. */
  readonly traces?: RequestTraces
  /** Of HTTPS as clients see it. */
  readonly httpsRedirectPort: number
  /** Swapped by a publish. */
  snapshot: ActiveSnapshot
  readonly limits: ClientLimits
  /** Connections are closed after their current response. */
  draining: boolean
  /** Closes connections that carry no request, if that is due; called after each response while draining. */
  closeIdleConnections(): void
}

/** The part of a request that is on its way to an upstream. */
export interface Underway {
  /** The client has left. */
  cancel(): void
  /** The client takes more. */
  resume(): void
}

const EXCHANGE = Symbol('exchange')

type TrackedResponse = ClientResponse & { [EXCHANGE]?: Exchange }

const NO_HEADERS: HeaderList = []

/** A status for logs and metrics alone: the client left before it was answered. */
const CLIENT_LEFT = 499

/** Its word as a reason; also where it left inside the answer. */
const CLIENT_LEFT_REASON = 'client_left'

/**
 * One request and its response, with what the pipeline's steps found out so far. A field is set by the step of its
 * name, and read only by later ones.
 */
export class Exchange {
  readonly engine: Engine
  readonly request: ClientRequest
  readonly response: ClientResponse
  /** The client's socket, where the request asks for a WebSocket: what it gets unless it is refused. */
  readonly upgrading: Socket | undefined
  readonly snapshot: ActiveSnapshot
  readonly startedAt: number
  /** Absent: the request passes with the trace context that it has. */
  readonly trace: RequestTrace | undefined
  authority!: RequestAuthority
  target!: RequestTarget
  host!: IndexedHost
  route: Route | undefined
  action!: Extract<RouteAction, { kind: 'forward' }>
  allow: Allow | undefined
  /** Cookies of the login that this request completed on its way. */
  loginHeaders: HeaderList = NO_HEADERS
  /** Of the route; absent: it has none. */
  rules: RouteRules | undefined
  /** What the rules add to every response. */
  policyHeaders: HeaderList = NO_HEADERS
  /** What the upstream is told of the client's certificate. */
  certificateHeaders: HeaderList | undefined
  /** In place of the path that was sent. */
  upstreamPath: string | undefined
  underway: Underway | undefined
  /** What authorization said last. */
  decision: DecisionLabels | undefined
  /** Why the answer is not the upstream's, or not whole: a stable word. */
  reason = ''
  /** What the client got where no response began here. */
  #statusElsewhere = CLIENT_LEFT
  /** Where the request was sent; absent: nowhere. */
  upstream: UpstreamId | undefined
  /** Of the last attempt, as the two that follow. */
  endpoint: EndpointPool | undefined
  /** 0: the upstream has not answered. */
  upstreamStatus = 0
  attempts = 0
  /** On the monotonic clock, as `startedAt` and the others that end so; 0: not yet. */
  authorizingAt = 0
  authorizedAt = 0
  sentAt = 0
  answeredAt = 0
  upstreamEndedAt = 0
  /** Of the body; one that authorization has read is not counted. */
  requestBytes = 0
  responseBytes = 0
  /** Interim responses that were passed on. */
  interimResponses = 0
  /** The response is over, or its client left. */
  closed = false
  #stopWatching: (() => void) | undefined
  #view: ConnectionView | undefined
  #facts: ProxyRequestFacts | undefined

  constructor(engine: Engine, request: ClientRequest, response: ClientResponse, upgrading?: Socket) {
    this.engine = engine
    this.request = request
    this.response = response
    this.upgrading = upgrading
    this.snapshot = engine.snapshot
    this.startedAt = engine.clock.monotonic()
    this.trace = engine.traces?.begin(request.headers['traceparent'])
    // A socket that is closed does not know its address any more.
    if (engine.recorder !== undefined) this.#view = this.view
    engine.metrics.inFlight += 1
    ;(response as TrackedResponse)[EXCHANGE] = this
    response.on('close', onClose)
  }

  /** What is known of the client's connection; asked for once. */
  get view(): ConnectionView {
    const { socket, headers } = this.request
    this.#view ??= this.engine.trustedProxies.view(
      socket.remoteAddress ?? '',
      (socket as Partial<TLSSocket>).encrypted === true,
      headers,
    )
    return this.#view
  }

  /** What authorization may know; made when it is asked for, as open routes need none. */
  get facts(): ProxyRequestFacts {
    this.#facts ??= createRequestFacts(this.request, this.authority, this.target, this.view)
    return this.#facts
  }

  /** The body where authorization has read it: the request has nothing more to give. */
  get bufferedBody(): Buffer | undefined {
    return this.#facts?.bufferedBody
  }

  /** What authorization adds to the response, whatever its source. */
  get decisionHeaders(): HeaderList {
    return this.allow?.responseHeaders ?? this.loginHeaders
  }

  /** What is added to the upstream's response: by authorization and by the route's rules. */
  get addedHeaders(): HeaderList {
    const { decisionHeaders, policyHeaders } = this
    return policyHeaders.length === 0 ? decisionHeaders : [...policyHeaders, ...decisionHeaders]
  }

  /** From here on the request is the one that began the login which it completed. */
  goOn(target: RequestTarget, { target: text, cookieHeader, responseHeaders }: GoOn): void {
    this.authority = { ...this.authority, target: text }
    this.target = target
    this.loginHeaders = responseHeaders
    this.#facts = createRequestFacts(this.request, this.authority, target, this.view, { cookieHeader })
  }

  /** Listens once for the client taking more. One that takes nothing would keep what its request holds for ever. */
  resumeOnDrain(): void {
    if (this.response.listenerCount('drain') === 0) this.response.on('drain', onDrain)
    this.#watch()
  }

  /** The client has taken what was written. */
  resume(): void {
    this.#stopWatching?.()
    this.#stopWatching = undefined
    this.underway?.resume()
  }

  /** All of the response is written. Over HTTP/2 a client can keep it from being sent, of any number of requests. */
  ended(): void {
    if (this.#stopWatching === undefined && this.request.httpVersionMajor !== 2) return
    if (!this.closed && !this.response.writableFinished) this.#watch()
  }

  /** The listener has cut the connection for what came on it, and answered in place of the pipeline if nothing had. */
  refusedOutside(status: number, reason: string): void {
    this.#statusElsewhere = status
    this.reason ||= reason
  }

  #watch(): void {
    const { engine, response } = this
    this.#stopWatching?.()
    this.#stopWatching = engine.timers.after(engine.limits.bodyTimeoutMs, () => {
      // Behind another that is not over yet, the client cannot take it.
      if (response.socket === null) this.#watch()
      else response.destroy()
    })
  }

  /** Ends the bookkeeping, once. */
  close(): void {
    const record = this.closeUnrecorded()
    if (record !== undefined) this.engine.recorder?.finished(record)
  }

  /** As `close`, where the request is not over for those who use it. @returns What is to be completed and recorded. */
  closeUnrecorded(): RequestRecord | undefined {
    this.closed = true
    this.#stopWatching?.()
    const { engine, request, response, snapshot } = this
    engine.metrics.inFlight -= 1
    const status = response.headersSent ? response.statusCode : this.#statusElsewhere
    const endedAt = engine.clock.monotonic()
    snapshot.series(this.route).finished(request.method ?? '', status, (endedAt - this.startedAt) / 1000)
    if (!response.writableFinished) {
      // A response that switches protocols is not over yet.
      if (this.reason === '' && status !== 101) this.reason = CLIENT_LEFT_REASON
      this.underway?.cancel()
    }
    if (status >= 500) noteError(this, status, endedAt)
    const isWanted = engine.recorder?.wants(this.route, this.trace) === true
    const record = isWanted ? recordOf(this, status, endedAt) : undefined
    // A response that began before the drain may have promised to keep its connection.
    if (engine.draining) engine.closeIdleConnections()
    return record
  }
}

/** The exchange that a response belongs to; `undefined`: none. */
export function exchangeOf(response: ClientResponse): Exchange | undefined {
  return (response as TrackedResponse)[EXCHANGE]
}

// One function for all responses instead of a closure for each.
function onClose(this: TrackedResponse): void {
  this[EXCHANGE]?.close()
}

function onDrain(this: TrackedResponse): void {
  this[EXCHANGE]?.resume()
}
