import type { Exchange } from './exchange.ts'

/** The upstream gave that answer itself. */
const UPSTREAM_ANSWERED = 'upstream_answered'

/** Remembers a request that was answered with 5xx for a while, as one of its route's. */
export function noteError({ endpoint, engine, reason, route }: Exchange, status: number): void {
  if (route === undefined) return
  const slot = engine.recent.errors.next(route.id)
  slot.atMs = engine.clock.now()
  slot.status = status
  slot.reason = reason === '' ? UPSTREAM_ANSWERED : reason
  slot.endpoint = endpoint?.address ?? ''
}
