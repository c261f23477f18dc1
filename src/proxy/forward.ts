import type { Exchange } from './exchange.ts'
import { answerNoEndpoint, answerNoWebSocket } from './upstream-failure.ts'
import { Forwarding } from './upstream/forwarding.ts'
import { legOf, type Leg } from './upstream/leg.ts'

/**
 * Sends an authorized request to an endpoint of its route's upstream and streams the answer back. Without an
 * endpoint: 503. For failures see `answerUpstreamFailure`; a body that breaks half-way ends the client's connection.
 */
export function forward(exchange: Exchange): void {
  const leg = legOf(exchange)
  if (!isReachable(exchange, leg)) return
  const forwarding = new Forwarding(exchange, exchange.snapshot.rotation(leg.upstream), leg.forwarding)
  exchange.underway = forwarding
  exchange.upstream = leg.upstream
  forwarding.send()
}

/** Whether there is an endpoint that could take the request; answers it where not. */
export function isReachable(exchange: Exchange, { upstream }: Leg): boolean {
  const rotation = exchange.snapshot.rotation(upstream)
  if (rotation.size === 0) answerNoEndpoint(exchange)
  else if (rotation.transport.http2 && exchange.upgrading !== undefined) answerNoWebSocket(exchange)
  else return true
  return false
}
