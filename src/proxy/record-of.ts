import type { RequestRecord } from '../observability/request-record.ts'
import { readTraceParent } from '../trace-parent.ts'
import type { Exchange } from './exchange.ts'

/** What is written down of a request that ends now. */
export function recordOf(exchange: Exchange, status: number, endedAt: number): RequestRecord {
  const { allow, decision, endpoint, engine, request, route, trace, view } = exchange
  const { headers, httpVersionMajor, httpVersionMinor } = request
  const consumer = allow?.identity.consumer
  return {
    endedAtEpochMs: engine.clock.now(),
    startedAt: exchange.startedAt,
    authorizingAt: exchange.authorizingAt,
    authorizedAt: exchange.authorizedAt,
    sentAt: exchange.sentAt,
    answeredAt: exchange.answeredAt,
    upstreamEndedAt: exchange.upstreamEndedAt,
    endedAt,
    clientAddress: view.clientAddress,
    scheme: view.scheme,
    protocol: protocolOf(httpVersionMajor, httpVersionMinor),
    method: request.method ?? '',
    // Not there yet where the request was refused for it.
    authority: (exchange.authority as Exchange['authority'] | undefined)?.authority ?? '',
    path: pathOf(exchange),
    userAgent: headers['user-agent'],
    traceId: trace?.traceId ?? readTraceParent(singleOf(headers['traceparent']))?.traceId,
    trace,
    route,
    status,
    reason: exchange.reason,
    decision,
    consumer: consumer && (consumer.username ?? consumer.id),
    upstream: exchange.upstream,
    endpoint: endpoint?.address,
    upstreamStatus: exchange.upstreamStatus,
    attempts: exchange.attempts,
    requestBytes: exchange.bufferedBody?.byteLength ?? exchange.requestBytes,
    responseBytes: exchange.responseBytes,
  }
}

function protocolOf(major: number, minor: number): string {
  if (major === 2) return 'HTTP/2'
  return minor === 0 ? 'HTTP/1.0' : 'HTTP/1.1'
}

function pathOf({ authority, request }: Exchange): string {
  return pathIn((authority as Exchange['authority'] | undefined)?.target ?? request.url ?? '')
}

/** Codes and tokens come in queries. An authority that nobody has read may hold a password. */
export function pathIn(target: string): string {
  if (!target.startsWith('/')) return ''
  const end = target.search(/[?#]/)
  return end === -1 ? target : target.slice(0, end)
}

function singleOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
