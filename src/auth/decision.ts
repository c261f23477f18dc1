import type { PolicyId, AuthMethod } from '../table/policy.ts'
import type { CompiledConsumer } from '../table/routing-table.ts'

/** Claims of whichever token or answer they came from. Not validated beyond what its flow says. */
export type Claims = Readonly<Record<string, unknown>>

/** Who is asking, once a credential was accepted. */
export interface Identity {
  readonly policy: PolicyId
  readonly method: AuthMethod | 'anonymous'
  /** The first of: access token `sub`, ID token `sub`, client id. */
  readonly subject?: string
  readonly consumer?: Pick<CompiledConsumer, 'id' | 'username' | 'customId' | 'rateLimits'>
  readonly groups: readonly string[]
}

/** Name (lower case) and value pairs. A name may repeat, as Set-Cookie does. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/** Why a request was refused: stable words for logs and metrics, never from the request. */
export type RefusalReason =
  | 'no_credential'
  | 'invalid_token'
  | 'expired_token'
  | 'authentication_too_old'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'unknown_key'
  | 'inactive_token'
  | 'invalid_client'
  | 'invalid_session'
  | 'invalid_callback'
  | 'insufficient_scope'
  | 'missing_audience'
  | 'missing_group'
  | 'missing_role'
  | 'no_consumer'
  | 'anonymous_consumer_not_found'
  | 'group_denied'
  | 'cross_origin'
  | 'authorization_server_unavailable'
  | 'session_store_unavailable'
  | 'too_large'
  | 'invalid_request'
  | 'group_overage'
  | 'server_refused'
  | 'policy_missing'
  | 'login_loop'

interface WithResponseHeaders {
  /** Added to the response whatever its source: Set-Cookie, Cache-Control, downstream claim headers. */
  readonly responseHeaders: HeaderList
}

/** Forward the request: who it is and how its headers change. */
export interface Allow extends WithResponseHeaders {
  readonly kind: 'allow'
  readonly identity: Identity
  /** Lower-case names removed before `setHeaders` are added. */
  readonly removeHeaders: readonly string[]
  /** Set on the upstream request, replacing fields of that name. */
  readonly setHeaders: HeaderList
  /** Cookie names taken out of the upstream's Cookie header (ours; others pass byte-identical). */
  readonly removeCookies: (name: string) => boolean
  /** Query parameters taken out of the upstream's target, where a credential came in them and is hidden. */
  readonly removeQuery: readonly string[]
  /** Form fields taken out of the upstream's body, likewise. */
  readonly removeForm: readonly string[]
}

/** Send the browser elsewhere. */
export interface Redirect extends WithResponseHeaders {
  readonly kind: 'redirect'
  readonly status: 302 | 303
  readonly location: string
  readonly reason: 'login' | 'callback' | 'logout' | RefusalReason
  /** Where it stands for a refusal: as `Refuse` has it. */
  readonly who?: string
  readonly subject?: string
}

/** A page of ours that refuses nothing. What of it comes from a request or a token is text to be escaped. */
export type OwnPage =
  /** Loads `location` from this site, so that SameSite=Strict cookies go along. */
  | { readonly name: 'continue'; readonly location: string }
  /** Asks for a POST to `action`, since nobody can tell who made the browser come here. */
  | { readonly name: 'confirm_sign_out'; readonly action: string; readonly who?: string }
  /** `signIn`: a path that begins a login; absent where there is none. */
  | { readonly name: 'signed_out'; readonly signIn?: string }

/** Answer in our own name. */
export interface Respond extends WithResponseHeaders {
  readonly kind: 'respond'
  readonly status: 200 | 400 | 405 | 501
  readonly reason: 'callback' | 'logout' | 'userinfo' | 'auth'
  readonly body:
    | { readonly kind: 'none' }
    | { readonly kind: 'json'; readonly value: object }
    | { readonly kind: 'page'; readonly page: OwnPage }
}

/** 400, 401 or 403. `wwwAuthenticate` as RFC 6750 §3. */
export interface Refuse extends WithResponseHeaders {
  readonly kind: 'refuse'
  readonly status: 400 | 401 | 403
  readonly reason: RefusalReason
  /** The `message` member, for people. Never holds a credential. */
  readonly message: string
  /** For logs: what failed, in words of ours or an error code of the authorization server. Never a credential. */
  readonly detail?: string
  /** Name of the person or client that was recognised, as they know it; for the page that people see. */
  readonly who?: string
  /** `sub` of the same, for the audit. */
  readonly subject?: string
  readonly wwwAuthenticate: readonly string[]
}

/** 503: nothing can be decided now. */
export interface Unavailable extends WithResponseHeaders {
  readonly kind: 'unavailable'
  readonly reason: RefusalReason
  readonly message: string
  /** For logs: which endpoint failed, and how. Never a credential. */
  readonly detail?: string
  readonly retryAfterSeconds: number
}

/** What authorization says about one request. */
export type AuthDecision = Allow | Redirect | Respond | Refuse | Unavailable

/**
 * A login is complete and its callback goes on as a request to the route of its path (`loginAction: upstream`): with
 * the target that the login began with, and the cookies that the browser is about to have.
 */
export interface GoOn extends WithResponseHeaders {
  readonly kind: 'go_on'
  readonly target: string
  readonly cookieHeader: string
}
