import type { AuditEvent } from '../audit-event.ts'
import { audit, type Happening } from '../auth/audit.ts'
import type { AuthDecision } from '../auth/decision.ts'
import type { Engine, Exchange } from './exchange.ts'
import type { OpenedTunnel } from './tunnel-standing.ts'

/** What a redirect is for, where it refuses nobody. */
const NO_REFUSAL: ReadonlySet<string> = new Set(['login', 'callback', 'logout'])

const NOBODY: { readonly subject?: string; readonly who?: string } = {}

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
  const { subject, who: username } = decision.kind === 'unavailable' ? NOBODY : decision
  const happening: Happening = {
    event,
    outcome: decision.kind === 'unavailable' ? 'unavailable' : 'refused',
    reason,
    ...(detail !== undefined && { detail }),
    ...(plugin !== '' && { plugin }),
    ...(subject !== undefined && { subject }),
    ...(username !== undefined && { username }),
    ...(route !== undefined && { route: route.id }),
  }
  audit(engine.audit, facts, happening)
}

/** Tells the audit of a WebSocket that is cut, as its request would not be let through any more. */
export function auditCut(
  { audit: observer }: Engine,
  { facts, identity }: OpenedTunnel,
  reason: string,
): void {
  const { consumer, policy: plugin, subject } = identity
  const username = consumer?.username
  audit(observer, facts, {
    event: 'websocket',
    outcome: 'cut',
    reason,
    plugin,
    ...(subject !== undefined && { subject }),
    ...(username !== undefined && { username }),
  })
}
