import type { Exchange } from './exchange.ts'
import { respondProblem } from './respond.ts'

/** What one client, or all of them together, may take from a proxy thread. 0 for a count: no limit. */
export interface ClientLimits {
  /** Bytes of the request line and the fields together; more are answered 431. */
  readonly maxHeaderBytes: number
  /** Fields of a request; more are answered 431. */
  readonly maxHeaderCount: number
  /** Bytes of the request target; more are answered 414, as far as `maxHeaderBytes` lets it come. */
  readonly maxUrlBytes: number
  /** From the first byte, or from the connection on, until the fields are whole; later is answered 408. */
  readonly headerTimeoutMs: number
  /**
   * How long a client may pause inside a body; longer is answered 408, or cut where the answer has begun. Also how long it
   * may take nothing of an answer.
   */
  readonly bodyTimeoutMs: number
  /** How long a connection without a request is kept. */
  readonly keepAliveMs: number
  /** Open connections; more are closed at once, without an answer. */
  readonly maxConnections: number
  /** Requests that are not answered whole yet; more are answered 503. */
  readonly maxRequests: number
}

export const CLIENT_LIMITS: ClientLimits = {
  maxHeaderBytes: 65_536,
  maxHeaderCount: 100,
  maxUrlBytes: 16_384,
  headerTimeoutMs: 30_000,
  bodyTimeoutMs: 60_000,
  // Above the idle time-out of the usual load balancers in front (60 s), so that they are the ones to close.
  keepAliveMs: 75_000,
  maxConnections: 20_000,
  maxRequests: 10_000,
}

/**
 * Answers a request that is too long, has too many fields, or is one too many. The thread sheds what is above its
 * cap before it looks at anything else, so that what it has begun gets done.
 *
 * @returns Whether the request may go on.
 */
export function checkLimits(exchange: Exchange): boolean {
  const { engine, request, response } = exchange
  const { limits, metrics } = engine
  if (limits.maxRequests > 0 && metrics.inFlight > limits.maxRequests) {
    const message = 'The proxy has as many requests under way as it may.'
    respondProblem(exchange, 503, { message, reason: 'overloaded', headers: [['Retry-After', '1']] })
    return false
  }
  if ((request.url ?? '').length > limits.maxUrlBytes) {
    const message = `The request target is longer than ${limits.maxUrlBytes} bytes.`
    respondProblem(exchange, 414, { message, reason: 'url_too_long' })
    return false
  }
  if (limits.maxHeaderCount > 0 && request.rawHeaders.length > 2 * limits.maxHeaderCount) {
    // What is in them is not looked at: they may say in many ways where the request ends.
    response.shouldKeepAlive = false
    const message = `The request has more than ${limits.maxHeaderCount} fields.`
    respondProblem(exchange, 431, { message, reason: 'too_many_fields' })
    return false
  }
  return true
}
