import type { Claims, HeaderList } from '../decision.ts'

/** What a login left behind: the tokens, and when the session was used. */
export interface Session {
  readonly accessToken: string
  /** The decoded payload where the access token is a JWT, else `{}`. It came from the token endpoint over TLS. */
  readonly accessTokenClaims: Claims
  /** Absent where the authorization server sent none (no `openid` scope). */
  readonly idToken?: string
  /** `{}` without an ID token. It was validated when the session began. */
  readonly idTokenClaims: Claims
  /** As the token endpoint answered it; absent: the scope that was asked for (RFC 6749 §5.1). */
  readonly scope?: string
  /** From `expires_in`, else the access token's `exp`; absent where there is neither. The session ends with it. */
  readonly accessTokenExpiresAtSeconds?: number
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
  /** `setCookies` is to be added to the response; empty, but when the session was touched or renewed. */
  | { readonly kind: 'session'; readonly session: Session; readonly setCookies: HeaderList }
