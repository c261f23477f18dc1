import type { Policy } from '../../table/policy.ts'
import type { AuthDependencies, AuthSnapshot } from '../authorize.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { SessionKeys } from '../session/session-keys.ts'
import type { SessionStore } from '../session/session-store.ts'
import type { RedirectUri } from './redirect-uri.ts'

/** What every step of a login needs and keeps as long as the proxy thread lives. */
export interface LoginDependencies extends AuthDependencies {
  readonly keys: SessionKeys
  readonly sessions: SessionStore
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
