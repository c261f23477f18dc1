import type { Exchange } from './exchange.ts'
import { answerNoEndpoint, answerNoWebSocket } from './upstream-failure.ts'
import { Forwarding } from './upstream/forwarding.ts'
import { legOf } from './upstream/leg.ts'

/**
 * Sends an authorized request to an endpoint of its route's upstream and streams the answer back. Without an
 * endpoint: 503. For failures see `answerUpstreamFailure`; a body that breaks half-way ends the client's connection.
 */
export function forward(exchange: Exchange): void {
  const leg = legOf(exchange)
  const rotation = exchange.snapshot.rotation(leg.upstream)
  if (rotation.size === 0) {
    answerNoEndpoint(exchange)
    return
  }
  if (rotation.transport.http2 && exchange.upgrading !== undefined) {
    answerNoWebSocket(exchange)
    return
  }
  const forwarding = new Forwarding(exchange, rotation, leg.forwarding)
  exchange.underway = forwarding
  forwarding.send()
}
