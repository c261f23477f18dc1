import { messageOf } from '../../errors.ts'
import type { Exchange } from '../exchange.ts'
import type { EndpointPool } from './endpoint-pool.ts'

/** Takes an endpoint that failed out of its rotations for a while, and says so once. */
export function restEndpoint({ engine, route }: Exchange, pool: EndpointPool, error: Error): void {
  const restMs = pool.failed(engine.clock.monotonic())
  if (restMs === undefined) return
  pool.lastFailure = { atMs: engine.clock.now(), reason: messageOf(error) }
  const fields = { route: route?.id, endpoint: pool.origin, restMs, error: messageOf(error) }
  engine.log.warn(fields, 'endpoint failed: it rests while others serve')
}
