import type { AuditEvent } from '../audit-event.ts'
import { audit, type Happening } from '../auth/audit.ts'
import type { AuthDecision } from '../auth/decision.ts'
import type { Exchange } from './exchange.ts'

/** What a redirect is for, where it refuses nobody. */
const NO_REFUSAL: ReadonlySet<string> = new Set(['login', 'callback', 'logout'])

/** Tells the audit of a decision that lets nobody in; of a callback it is a login that failed. */
export function auditRefusal(
  exchange: Exchange,
  decision: AuthDecision,
  event: AuditEvent['event'],
  plugin: string,
): void {
  const { engine, facts, route } = exchange
  if (engine.audit === undefined || decision.kind === 'allow' || decision.kind === 'respond') return
  if (decision.kind === 'redirect' && NO_REFUSAL.has(decision.reason)) return
  const { reason } = decision
  const detail = decision.kind === 'redirect' ? undefined : decision.detail
  const username = decision.kind === 'refuse' ? decision.who : undefined
  const happening: Happening = {
    event,
    outcome: decision.kind === 'unavailable' ? 'unavailable' : 'refused',
    reason,
    ...(detail !== undefined && { detail }),
    ...(plugin !== '' && { plugin }),
    ...(username !== undefined && { username }),
    ...(route !== undefined && { route: route.id }),
  }
  audit(engine.audit, facts, happening)
}
