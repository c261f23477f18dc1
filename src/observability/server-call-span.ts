import type { TraceParent } from '../trace-parent.ts'
import type { SpanRecord } from './span-record.ts'

/** A call to an authorization server that is over, and the request's span that it belongs to. */
export interface TracedServerCall {
  readonly issuer: string
  readonly endpoint: string
  readonly outcome: string
  readonly durationMs: number
  readonly trace: TraceParent
}

/** @param endMs Milliseconds since the epoch. */
export function serverCallSpan(call: TracedServerCall, spanId: string, endMs: number): SpanRecord {
  const { endpoint, issuer, outcome, trace } = call
  const host = URL.parse(issuer)?.hostname
  return {
    traceId: trace.traceId,
    spanId,
    parentSpanId: trace.spanId,
    name: `authorization server ${endpoint}`,
    kind: 'client',
    startMs: endMs - call.durationMs,
    endMs,
    attributes: {
      'ostiary.issuer': issuer,
      'ostiary.endpoint': endpoint,
      'ostiary.outcome': outcome,
      ...(host !== undefined && { 'server.address': host }),
    },
    isError: outcome === 'unavailable',
  }
}
