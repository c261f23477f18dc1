import type { Policy } from '../../table/policy.ts'
import type { AuthDependencies, AuthSnapshot } from '../authorize.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { SessionKeys } from '../session/session-keys.ts'
import type { SessionRequest, SessionStore } from '../session/session-store.ts'
import type { SessionLookup } from '../session/session.ts'
import type { RedirectUri } from './redirect-uri.ts'

/** What every step of a login needs and keeps as long as the proxy thread lives. */
export interface LoginDependencies extends AuthDependencies {
  readonly keys: SessionKeys
  readonly sessions: SessionStore
  /** As `sessions.open`, with tokens refreshed where it is time: for requests that are answered from the session. */
  readonly openSession: (request: SessionRequest) => MaybePromise<SessionLookup>
}

/** One login as one request sees it. */
export interface LoginContext {
  readonly snapshot: AuthSnapshot
  readonly policy: Policy
  readonly facts: RequestFacts
  readonly redirectUri: RedirectUri
  /** Scheme and authority where the login began; another host than the request's where hosts share a redirect URI. */
  readonly origin: string
}
