import type { Exchange } from './exchange.ts'

/** The upstream gave that answer itself. */
const UPSTREAM_ANSWERED = 'upstream_answered'

/**
 * Remembers a request that was answered with 5xx for a while, as one of its route's.
 *
 * @param endedAt On the monotonic clock.
 */
export function noteError(
  { endpoint, engine, reason, route }: Exchange,
  status: number,
  endedAt: number,
): void {
  if (route === undefined) return
  const slot = engine.recent.errors.next(route.id)
  slot.notedAt = endedAt
  slot.status = status
  slot.reason = reason === '' ? UPSTREAM_ANSWERED : reason
  slot.endpoint = endpoint?.address ?? ''
}
