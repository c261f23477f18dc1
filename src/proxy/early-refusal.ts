import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { RequestRecord } from '../observability/request-record.ts'
import type { ClientResponse } from './client-message.ts'
import { exchangeOf, type Engine } from './exchange.ts'
import { pathIn } from './record-of.ts'

/** What a listener answers by itself: bytes that are no request, or a header section that nobody serves. */
export interface EarlyRefusal {
  readonly socket: Socket
  readonly protocol: 'HTTP/1.1' | 'HTTP/2'
  readonly status: number
  /** A stable word. */
  readonly reason: string
  /** Of the answer's body. */
  readonly responseBytes: number
  /** Absent: what came is no request, and nothing of it is safe to repeat. */
  readonly head?: RefusedRequest
  /** The response that was under way on the connection, which this one took the place of. */
  readonly response?: ClientResponse | undefined
}

/** What was read of a request before it was refused. */
export interface RefusedRequest {
  /** Empty where it is unknown: it may be any text. */
  readonly method: string
  readonly target: string
  readonly headers: IncomingHttpHeaders
}

/** Sees to it that what a listener refuses is written down as other requests are, once. */
export function noteEarlyRefusal(engine: Engine, refusal: EarlyRefusal): void {
  const exchange = refusal.response && exchangeOf(refusal.response)
  if (exchange !== undefined) exchange.refusedOutside(refusal.status, refusal.reason)
  else if (engine.recorder?.wants(undefined, undefined) === true) {
    engine.recorder.finished(recordOfRefusal(engine, refusal))
  }
}

const NOTHING_READ: RefusedRequest = { method: '', target: '', headers: {} }

function recordOfRefusal({ clock, trustedProxies }: Engine, refusal: EarlyRefusal): RequestRecord {
  const { head = NOTHING_READ, protocol, reason, responseBytes, socket, status } = refusal
  const isEncrypted = (socket as Partial<TLSSocket>).encrypted === true
  const view = trustedProxies.view(socket.remoteAddress ?? '', isEncrypted, head.headers)
  const at = clock.monotonic()
  return {
    endedAtEpochMs: clock.now(),
    startedAt: at,
    authorizingAt: 0,
    authorizedAt: 0,
    sentAt: 0,
    answeredAt: 0,
    upstreamEndedAt: 0,
    endedAt: at,
    clientAddress: view.clientAddress,
    scheme: view.scheme,
    protocol,
    method: head.method,
    authority: '',
    path: pathIn(head.target),
    userAgent: head.headers['user-agent'],
    traceId: undefined,
    trace: undefined,
    route: undefined,
    status,
    reason,
    decision: undefined,
    consumer: undefined,
    upstream: undefined,
    endpoint: undefined,
    upstreamStatus: 0,
    attempts: 0,
    requestBytes: 0,
    responseBytes,
  }
}
