import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { DecisionLabels } from '../observability/request-metrics.ts'
import type { Exchange } from './exchange.ts'
import { withoutNames } from './hop-by-hop.ts'
import { downstreamResponseHeaders, type UpstreamResponseHeaders } from './response-headers.ts'
import { guardTunnel } from './tunnel-guard.ts'
import { Tunnel } from './tunnel.ts'
import { switchProtocols } from './upgrade.ts'
import { answerUpstreamFailure } from './upstream-failure.ts'

const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
// A tunnel has no length, but some servers say one.
const LENGTH: ReadonlySet<string> = new Set(['content-length'])

/** An upstream's 101: its parsed headers, and the same as they came. */
export interface SwitchingResponse {
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: UpstreamResponseHeaders
}

/**
 * Relays the upstream's 101 and joins the two sockets until both are closed. An answer that proves no WebSocket (RFC
 * 6455 §4.1) is a 502: bytes of the client must not reach a server that still takes them for requests.
 */
export function openTunnel(exchange: Exchange, upstream: Duplex, answer: SwitchingResponse): void {
  const { engine, request, response, upgrading } = exchange
  if (exchange.closed || upgrading === undefined || !(upstream instanceof Socket)) {
    upstream.destroy()
    return
  }
  if (!provesWebSocket(request.headers['sec-websocket-key'], answer.headers)) {
    upstream.destroy()
    answerUpstreamFailure(exchange, new Error('the upstream switched to something that is no WebSocket'))
    return
  }
  const { addedHeaders, rules } = exchange
  const headers = downstreamResponseHeaders(answer.rawHeaders, addedHeaders, rules?.responseEdits)
  // Over HTTP/2 nothing upgrades.
  switchProtocols(response as ServerResponse, upgrading, withoutNames(headers, LENGTH))
  exchange.underway = undefined
  const record = exchange.closeUnrecorded()
  const { clock, metrics, recorder, timers } = engine
  metrics.connectionOpened('websocket')
  let cut: DecisionLabels | undefined
  const tunnel = new Tunnel(upgrading, upstream, timers, ({ fromClient, toClient }) => {
    guard?.stop()
    metrics.connectionClosed('websocket')
    if (record === undefined) return
    const endedAt = clock.monotonic()
    recorder?.finished({
      ...record,
      ...(cut !== undefined && { decision: cut, reason: cut.reason }),
      endedAtEpochMs: clock.now(),
      endedAt,
      upstreamEndedAt: endedAt,
      requestBytes: fromClient,
      responseBytes: toClient,
    })
  })
  tunnel.open()
  const guard = guardTunnel(exchange, (decision) => {
    cut = decision
    tunnel.close()
  })
}

function provesWebSocket(key: string | undefined, headers: IncomingHttpHeaders): boolean {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return false
  if (key === undefined) return true
  const expected = createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`, 'latin1').digest('base64')
  return headers['sec-websocket-accept'] === expected
}
