import type { Route } from '../table/routing-table.ts'
import { SpanIds } from './span-ids.ts'
import type { RequestTrace } from './request-trace.ts'
import type { RequestRecord, RequestRecorder } from './request-record.ts'
import type { SpanRecord } from './span-record.ts'

type Attributes = Record<string, string | number>

/**
 * Makes the spans of a request once it is over, from the times that were kept: one for all of it, and below that
 * `match`, `authorize` and `upstream`. Names and attributes are those of OpenTelemetry's conventions for HTTP.
 */
export class RequestSpans implements RequestRecorder {
  readonly #emit: (span: SpanRecord) => void
  readonly #ids = new SpanIds()

  constructor(emit: (span: SpanRecord) => void) {
    this.#emit = emit
  }

  wants(_route: Route | undefined, trace: RequestTrace | undefined): boolean {
    return trace?.isSampled === true
  }

  finished(record: RequestRecord): void {
    const { trace } = record
    if (trace === undefined) return
    const { authorizedAt, authorizingAt, endedAt, sentAt, startedAt, upstreamEndedAt } = record
    const { traceId, spanId: parentSpanId } = trace
    const epochOf = (at: number): number => record.endedAtEpochMs - (endedAt - at)
    const child = (
      span: Pick<SpanRecord, 'spanId' | 'name' | 'attributes'> & Partial<SpanRecord>,
      from: number,
      to: number,
    ) =>
      this.#emit({
        kind: 'internal',
        isError: false,
        ...span,
        traceId,
        parentSpanId,
        startMs: epochOf(from),
        endMs: epochOf(to),
      })

    child(
      { spanId: this.#ids.next(8), name: 'match', attributes: {} },
      startedAt,
      authorizingAt || sentAt || endedAt,
    )
    if (authorizingAt !== 0) {
      const attributes = decisionOf(record)
      child(
        { spanId: trace.authorize.spanId, name: 'authorize', attributes },
        authorizingAt,
        authorizedAt || endedAt,
      )
    }
    if (sentAt !== 0) {
      const isError = record.upstreamStatus === 0 || record.upstreamStatus >= 400
      const span = { spanId: trace.upstreamSpanId, name: 'upstream', kind: 'client', isError } as const
      child({ ...span, attributes: upstreamOf(record) }, sentAt, upstreamEndedAt || endedAt)
    }
    this.#emit({
      traceId,
      spanId: trace.spanId,
      ...(trace.parentSpanId !== undefined && { parentSpanId: trace.parentSpanId }),
      name: record.route === undefined ? record.method : `${record.method} ${record.route.path}`,
      kind: 'server',
      startMs: epochOf(startedAt),
      endMs: record.endedAtEpochMs,
      attributes: requestOf(record),
      isError: record.status >= 500,
    })
  }
}

function requestOf(record: RequestRecord): Attributes {
  const { authority, route, userAgent } = record
  return {
    'http.request.method': record.method,
    'url.scheme': record.scheme,
    'url.path': record.path,
    'http.response.status_code': record.status,
    'network.protocol.name': 'http',
    'network.protocol.version': record.protocol.slice('HTTP/'.length),
    'client.address': record.clientAddress,
    ...placeOf(authority),
    ...(userAgent !== undefined && { 'user_agent.original': userAgent }),
    ...(route !== undefined && {
      'http.route': route.path,
      'k8s.namespace.name': route.ingress.namespace,
      'ostiary.ingress': route.ingress.name,
      'ostiary.route': route.id,
    }),
    ...(record.reason !== '' && { 'ostiary.reason': record.reason }),
    ...(record.status >= 500 && { 'error.type': String(record.status) }),
    ...(record.consumer !== undefined && { 'ostiary.consumer': record.consumer }),
  }
}

function decisionOf({ decision }: RequestRecord): Attributes {
  if (decision === undefined) return {}
  const { flow, plugin, reason, result } = decision
  return {
    'ostiary.plugin': plugin,
    'ostiary.decision': result,
    ...(flow !== '' && { 'ostiary.flow': flow }),
    ...(reason !== '' && { 'ostiary.reason': reason }),
  }
}

function upstreamOf(record: RequestRecord): Attributes {
  const { attempts, endpoint, method, upstream, upstreamStatus } = record
  return {
    'http.request.method': method,
    ...(upstream !== undefined && { 'ostiary.upstream': upstream }),
    ...(endpoint !== undefined && placeOf(endpoint)),
    ...(upstreamStatus === 0
      ? { 'error.type': record.reason === '' ? '_OTHER' : record.reason }
      : { 'http.response.status_code': upstreamStatus }),
    ...(attempts > 1 && { 'http.request.resend_count': attempts - 1 }),
  }
}

/** `host`, `host:port` or `[address]:port`. */
function placeOf(authority: string): Attributes {
  const [, address = '', port] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? []
  if (address === '') return {}
  return { 'server.address': address, ...(port !== undefined && { 'server.port': Number(port) }) }
}
