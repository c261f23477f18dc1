import type { Policy } from '../../table/policy.ts'
import type { VirtualHost } from '../../table/routing-table.ts'
import type { AuthDependencies, AuthSnapshot } from '../authorize.ts'
import type { AuthDecision } from '../decision.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { SessionLookup } from '../session/session.ts'

/** Logs browsers in with the authorization code flow (OpenID Connect Core §3.1) and keeps their sessions. */
export interface RelyingParty {
  /** The request's session of the policy's realm. The cookie store answers synchronously. */
  openSession(
    snapshot: AuthSnapshot,
    policy: Policy,
    facts: RequestFacts,
  ): SessionLookup | Promise<SessionLookup>
  /**
   * Sends the browser to the authorization server. The caller has made sure that the request is a navigation and that
   * the policy allows `authorization_code`.
   */
  startLogin(
    snapshot: AuthSnapshot,
    policy: Policy,
    facts: RequestFacts,
  ): AuthDecision | Promise<AuthDecision>
  /** As `Authorizer.callback`. */
  callback(
    snapshot: AuthSnapshot,
    host: VirtualHost,
    facts: RequestFacts,
  ): AuthDecision | Promise<AuthDecision | undefined> | undefined
}

/** One per proxy thread: its cache of opened sessions lives as long as it does. */
export function createRelyingParty(_deps: AuthDependencies): RelyingParty {
  throw new Error('not built yet')
}
