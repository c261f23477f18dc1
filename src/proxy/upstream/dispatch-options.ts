import { replaceTraceContext } from '../../observability/request-trace.ts'
import type { Exchange } from '../exchange.ts'
import { withoutParameters } from '../parameters.ts'
import { originalTarget, upstreamTarget } from '../traffic/upstream-target.ts'
import { upstreamRequestHeaders } from '../upstream-headers.ts'
import type { UpstreamDispatchOptions } from './endpoint-pool.ts'
import { forwardedField } from './forwarded.ts'
import { http2Headers } from './http2-headers.ts'
import type { Leg } from './leg.ts'
import type { Transport } from './transport.ts'

const NO_NAMES: readonly string[] = []

/** What undici is to send; a body that is still to come is added by the caller. */
export function dispatchOptions(
  exchange: Exchange,
  { serverName, http2 }: Transport,
  forwarding: Leg['forwarding'],
): UpstreamDispatchOptions {
  const { request, upgrading } = exchange
  const body = bodyOf(exchange)
  const headers = headersOf(exchange, body, forwarding)
  if (exchange.trace !== undefined) replaceTraceContext(headers, exchange.trace)
  const method = request.method ?? ''
  const silenceMs = forwarding?.readTimeoutMs ?? null
  return {
    path: upstreamTarget(exchange),
    method,
    headers: http2 ? http2Headers(headers) : headers,
    body,
    upgrade: upgrading === undefined ? null : 'websocket',
    // undici closes the connection after each HEAD unless it is told that the server knows what HEAD is.
    reset: method === 'HEAD' ? false : null,
    // Else undici would ask for the name that the client's Host field says, and take a certificate for that.
    servername: serverName ?? null,
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
  }
}

function headersOf(exchange: Exchange, body: Buffer | null, forwarding: Leg['forwarding']): string[] {
  const { request, allow, view, authority, certificateHeaders, route, rules } = exchange
  const routeEdits = rules?.requestEdits
  return upstreamRequestHeaders({
    rawHeaders: request.rawHeaders,
    connectionView: view,
    authority: authority.authority,
    removeHeaders: route?.removeHeaders ?? NO_NAMES,
    edits: allow,
    bodyReplaced: body?.byteLength,
    certificateHeaders,
    routeEdits,
    originalTarget: routeEdits === undefined ? undefined : originalTarget(exchange),
    forwarded: forwarding?.forwardedHeader === true ? forwardedField(view, authority.authority) : undefined,
  })
}

function bodyOf({ allow, bufferedBody }: Exchange): Buffer | null {
  if (bufferedBody === undefined) return null
  if (allow === undefined || allow.removeForm.length === 0) return bufferedBody
  return Buffer.from(withoutParameters(bufferedBody.toString('latin1'), allow.removeForm), 'latin1')
}
