import type { Claims, HeaderList } from '../decision.ts'

/** What a login left behind: the tokens, and when the session was used. */
export interface Session {
  /** Random, made at login; tells nothing and opens nothing. Stays through refreshes. */
  readonly id: string
  readonly accessToken: string
  /** The decoded payload where the access token is a JWT, else `{}`. It came from the token endpoint over TLS. */
  readonly accessTokenClaims: Claims
  /** Absent where the authorization server sent none (no `openid` scope). */
  readonly idToken?: string
  /** `{}` without an ID token. It was validated when the session began. */
  readonly idTokenClaims: Claims
  readonly refreshToken?: string
  /** As the token endpoint answered it, else what was asked for (RFC 6749 §5.1). */
  readonly scope?: string
  /**
   * From `expires_in`, else the access token's `exp`; absent where there is neither. Without a refresh token the
   * session ends with it.
   */
  readonly accessTokenExpiresAtSeconds?: number
  /** When the tokens came, at login or with the last refresh: so old are the claims. */
  readonly tokensIssuedAtSeconds: number
  /** When the login was completed: the absolute timeout counts from here. */
  readonly createdAtSeconds: number
  /** The rolling timeout counts from here. */
  readonly renewedAtSeconds: number
  /** The idling timeout counts from here. Moves in steps of up to a minute. */
  readonly lastSeenAtSeconds: number
}

/** What a request's cookies say. `invalid` counts as no credential, and its cookies are to be cleared. */
export type SessionLookup =
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly clearCookies: HeaderList }
  /** `setCookies` is to be added to the response; empty, but when the session was touched, renewed or refreshed. */
  | { readonly kind: 'session'; readonly session: Session; readonly setCookies: HeaderList }
  /** There may be a session, and nobody can say now: neither a login nor a refusal is right. */
  | SessionUnavailable

/** Who gave no answer, and when to ask again. */
export interface SessionUnavailable {
  readonly kind: 'unavailable'
  readonly cause: 'session_store' | 'authorization_server'
  /** For logs; never a credential. */
  readonly detail: string
  readonly retryAfterSeconds: number
}
