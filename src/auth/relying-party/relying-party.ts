import type { Policy } from '../../table/policy.ts'
import type { VirtualHost } from '../../table/routing-table.ts'
import type { AuthDependencies, AuthSnapshot } from '../authorize.ts'
import type { AuthDecision } from '../decision.ts'
import type { RequestFacts } from '../request-facts.ts'
import { CookieSessionStore } from '../session/cookie-session-store.ts'
import { SessionKeys } from '../session/session-keys.ts'
import type { SessionLookup } from '../session/session.ts'
import { LoginCompletion } from './complete-login.ts'
import { matchCallback } from './match-callback.ts'
import { redirectUriFor } from './redirect-uri.ts'
import { originOf } from './return-target.ts'
import { startLogin } from './start-login.ts'

/** Logs browsers in with the authorization code flow (OpenID Connect Core §3.1) and keeps their sessions. */
export interface RelyingParty {
  /** The request's session of the policy's realm. Answers at once where its store does. */
  openSession(
    snapshot: AuthSnapshot,
    policy: Policy,
    facts: RequestFacts,
  ): SessionLookup | Promise<SessionLookup>
  /**
   * Sends the browser to the authorization server, to come back to this request's target. The caller has made sure
   * that the request is a navigation and that the policy allows `authorization_code`.
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
export function createRelyingParty(dependencies: AuthDependencies): RelyingParty {
  const keys = new SessionKeys()
  const sessions = new CookieSessionStore(dependencies.clock, dependencies.randomBytes, keys)
  const deps = { ...dependencies, keys, sessions }
  const completion = new LoginCompletion(deps)
  return {
    openSession: (snapshot, policy, facts) => sessions.open({ snapshot, policy, facts }),
    startLogin: (snapshot, policy, facts) => {
      const login = {
        snapshot,
        policy,
        facts,
        redirectUri: redirectUriFor(policy, facts),
        origin: originOf(facts),
      }
      return startLogin(deps, login, { target: facts.target, restarted: false })
    },
    callback: (snapshot, host, facts) => {
      const match = matchCallback(deps, snapshot, host, facts)
      return match?.kind === 'callback' ? completion.complete(match) : match
    },
  }
}
