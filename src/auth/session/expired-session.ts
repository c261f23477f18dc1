import { nowSeconds } from '../../clock.ts'
import { audit } from '../audit.ts'
import type { AuthDependencies } from '../authorize.ts'
import type { SessionRequest } from './session-store.ts'
import { endedBy } from './session-timeouts.ts'
import type { Session } from './session.ts'

/** Told of a session that a request came with after it had ended by itself. */
export type ExpiredHandler = (request: SessionRequest, session: Session) => void

/** Tells the audit whose session it was, and which timeout ended it. */
export function auditExpired(
  { audit: observer, clock }: Pick<AuthDependencies, 'audit' | 'clock'>,
  { facts, policy }: SessionRequest,
  session: Session,
): void {
  const reason = endedBy(session, policy.session, nowSeconds(clock))
  audit(observer, facts, { event: 'session', outcome: 'expired', reason, plugin: policy.id }, session)
}
