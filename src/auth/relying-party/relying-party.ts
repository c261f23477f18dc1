import type { Policy } from '../../table/policy.ts'
import type { VirtualHost } from '../../table/routing-table.ts'
import type { AuthDependencies, AuthSnapshot } from '../authorize.ts'
import type { AuthDecision, GoOn, Refuse } from '../decision.ts'
import { BackchannelLogout } from '../logout/backchannel-logout.ts'
import { logOut } from '../logout/log-out.ts'
import { signOut } from '../logout/sign-out.ts'
import { andThen, type MaybePromise } from '../maybe-promise.ts'
import { hostPolicies } from '../named-policies.ts'
import type { RequestFacts } from '../request-facts.ts'
import { SessionRefresh } from '../refresh/session-refresh.ts'
import { SessionKeys } from '../session/session-keys.ts'
import type { SessionRequest } from '../session/session-store.ts'
import { createSessionStores } from '../session/session-stores.ts'
import type { SessionLookup } from '../session/session.ts'
import { LoginCompletion } from './complete-login.ts'
import type { LoginOutcome } from './finish-login.ts'
import { matchCallback, type Callback } from './match-callback.ts'
import { redirectUriFor } from './redirect-uri.ts'
import { originOf } from './return-target.ts'
import { startEndpoint } from './start-endpoint.ts'
import { startLogin } from './start-login.ts'
import { userInfoEndpoint } from './user-info-endpoint.ts'

/** Logs browsers in with the authorization code flow (OpenID Connect Core §3.1) and keeps their sessions. */
export interface RelyingParty {
  /** The request's session of the policy's realm, refreshed where it is time. Answers at once where its store does. */
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
  ): MaybePromise<AuthDecision | GoOn | undefined>
  /** Ends the request's sessions of these policies, here and at the authorization server. */
  logOut(snapshot: AuthSnapshot, policies: readonly Policy[], facts: RequestFacts): Promise<AuthDecision>
  /** Answers a reserved path of the host; `undefined` where it is none of sessions and logins. */
  reserved(
    snapshot: AuthSnapshot,
    host: VirtualHost,
    facts: RequestFacts,
  ): MaybePromise<AuthDecision> | undefined
  /** Closes connections to session stores. */
  close(): void
}

/** One per proxy thread: its cache of opened sessions lives as long as it does. */
export function createRelyingParty(dependencies: AuthDependencies): RelyingParty {
  const keys = new SessionKeys()
  const sessions = createSessionStores(dependencies, keys)
  const refresh = new SessionRefresh(dependencies, sessions)
  const openSession = (request: SessionRequest) => refresh.open(request)
  const deps = { ...dependencies, keys, sessions, openSession }
  const completion = new LoginCompletion(deps)
  const backchannel = new BackchannelLogout(deps)
  return {
    openSession: (snapshot, policy, facts) => openSession({ snapshot, policy, facts }),
    startLogin: (snapshot, policy, facts) => {
      const login = {
        snapshot,
        policy,
        facts,
        redirectUri: redirectUriFor(policy, facts),
        origin: originOf(facts),
      }
      return startLogin(deps, login, { target: facts.target, restarted: false, sessionRefused: true })
    },
    callback: (snapshot, host, facts) => {
      return andThen<Callback | Refuse | undefined, LoginOutcome | undefined>(
        matchCallback(deps, snapshot, host, facts),
        (match) => (match?.kind === 'callback' ? completion.complete(match) : match),
      )
    },
    logOut: (snapshot, policies, facts) => logOut(deps, { snapshot, policies, facts }),
    reserved: (snapshot, host, facts) => {
      switch (facts.path) {
        case '/oauth2/start':
          return startEndpoint(deps, snapshot, host, facts)
        case '/oauth2/sign_out':
          return signOut(deps, snapshot, host, facts)
        case '/oauth2/userinfo':
          return userInfoEndpoint(deps, snapshot, host, facts)
        case '/oauth2/backchannel_logout':
          return backchannel.accept(snapshot, hostPolicies(snapshot, host), facts)
        default:
          return undefined
      }
    },
    close: () => sessions.close(),
  }
}
