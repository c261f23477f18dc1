import { messageOf } from '../errors.ts'
import type { Exchange } from './exchange.ts'
import { respondProblem } from './respond.ts'

const TIMED_OUT = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])
const CONNECTION_LOST = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED'])
/** The peer ended one stream of a connection that goes on (RFC 9113 §6.4). */
const STREAM_RESET = 'ERR_HTTP2_STREAM_ERROR'
const REFUSED_STREAM = 7
const UNPROCESSED = /^HTTP\/2: "(?:GOAWAY" frame received|frameError" received - type 1,)/
const BODY_TOO_LARGE = 'ERR_BODY_TOO_LARGE'
const NOT_FORWARDABLE = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED'])

/** The connection ended under the request, as opposed to an answer that is wrong or late. */
export function isConnectionLoss(error: unknown): boolean {
  return CONNECTION_LOST.has(codeOf(error))
}

/** `unprocessed`: the upstream says that it has not looked at the request. */
export type Failure = 'connect-failure' | 'unprocessed' | 'reset'

/**
 * What a failure is as a reason to send the request again, if it is one.
 *
 * @param begun it had begun to be sent; what failed before never left
 */
export function failureOf(error: unknown, begun: boolean): Failure | undefined {
  const code = codeOf(error)
  if (NOT_FORWARDABLE.has(code) || code === BODY_TOO_LARGE) return undefined
  if (!begun) return 'connect-failure'
  if (isUnprocessed(error, code)) return 'unprocessed'
  return CONNECTION_LOST.has(code) || code === STREAM_RESET ? 'reset' : undefined
}

/**
 * A stream behind the last of a GOAWAY, one that was refused, or one whose headers undici never got out (RFC 9113 §8.7).
 * undici tells the first and the last apart by words alone.
 */
function isUnprocessed(error: unknown, code: string): boolean {
  if (!(error instanceof Error)) return false
  if (code === STREAM_RESET) return 'http2ErrorCode' in error && error.http2ErrorCode === REFUSED_STREAM
  return code.startsWith('UND_ERR_') && UNPROCESSED.test(error.message)
}

/** Answers a request whose upstream has no endpoint at all. */
export function answerNoEndpoint(exchange: Exchange): void {
  respondProblem(exchange, 503, {
    message: 'The service behind this route has no ready endpoint.',
    reason: 'no_endpoint',
    headers: [['Retry-After', '5']],
  })
}

/** Answers a request for a WebSocket whose upstream knows HTTP/2 alone (RFC 8441 is not spoken). */
export function answerNoWebSocket(exchange: Exchange): void {
  const message = 'The service behind this route speaks HTTP/2, over which no WebSocket is opened.'
  respondProblem(exchange, 501, { message, reason: 'websocket_over_http2' })
}

/** Answers a request for which every endpoint of its upstream has too many already. */
export function answerNoRoom(exchange: Exchange): void {
  exchange.engine.log.warn({ route: exchange.route?.id }, 'upstream is full')
  respondProblem(exchange, 503, {
    message: 'The service behind this route has as many requests as it may.',
    reason: 'upstream_full',
    headers: [['Retry-After', '1']],
  })
}

/**
 * Answers a request whose upstream gave no response: 504 where it took too long, 502 for any other failure, and 400
 * where the request itself cannot be sent. The address and the cause are for the log, not for the client.
 */
export function answerUpstreamFailure(exchange: Exchange, error: unknown): void {
  const code = codeOf(error)
  const { engine, route } = exchange
  if (code === BODY_TOO_LARGE) {
    respondProblem(exchange, 413, { message: 'The body is too large.', reason: 'body_too_large' })
    return
  }
  if (code === 'ERR_BODY_STALLED') {
    // The rest may still come, and would be taken for another request.
    exchange.response.shouldKeepAlive = false
    respondProblem(exchange, 408, { message: 'The body took too long to arrive.', reason: 'body_timeout' })
    return
  }
  engine.log.warn({ route: route?.id, code, error: messageOf(error) }, 'upstream failed')
  if (TIMED_OUT.has(code)) {
    const message = 'The service behind this route took too long to answer.'
    respondProblem(exchange, 504, { message, reason: 'upstream_timeout' })
  } else if (NOT_FORWARDABLE.has(code)) {
    respondProblem(exchange, 400, { message: 'The request cannot be forwarded.', reason: 'not_forwardable' })
  } else {
    const message = 'The service behind this route could not be reached, or gave no proper answer.'
    respondProblem(exchange, 502, { message, reason: 'upstream_failed' })
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
