import type { AuthDecision } from '../auth/decision.ts'
import type { Exchange } from './exchange.ts'

/**
 * Remembers a decision for a while, for the plugin that let the request pass, else for all that might have. It is done
 * for every request that is guarded: slots are written over, and nothing is made.
 */
export function noteDecision(
  { authorizedAt, engine, route }: Exchange,
  decision: AuthDecision,
  policies: readonly string[],
): void {
  const { decisions } = engine.recent
  if (decision.kind === 'allow') {
    const { consumer, method, policy } = decision.identity
    const slot = decisions.next(policy, 'allow')
    slot.notedAt = authorizedAt
    slot.route = route?.id ?? ''
    slot.flow = method
    slot.result = 'allow'
    slot.reason = ''
    slot.status = 0
    slot.consumer = consumer?.username ?? consumer?.customId ?? ''
    return
  }
  for (const policy of policies) {
    const slot = decisions.next(policy, decision.kind)
    slot.notedAt = authorizedAt
    slot.route = route?.id ?? ''
    slot.flow = ''
    slot.result = decision.kind
    slot.reason = decision.reason
    slot.status = decision.kind === 'unavailable' ? 503 : decision.status
    slot.consumer = ''
  }
}
