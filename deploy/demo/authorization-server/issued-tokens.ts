/** An access token that was handed out, found again by the `jti` that it carries. */
export interface IssuedToken {
  readonly claims: AccessTokenClaims
  /** Under which oidc-provider stores it; gone there means revoked with its grant. */
  readonly storedId: string
  readonly grantId?: string
}

/** Claims of an access token of an Okta custom authorization server. Times are seconds since the epoch. */
export interface AccessTokenClaims {
  readonly ver: 1
  readonly jti: string
  readonly iss: string
  readonly aud: string
  readonly iat: number
  readonly exp: number
  readonly cid: string
  /** Absent without a user. */
  readonly uid?: string
  readonly scp: readonly string[]
  readonly auth_time?: number
  readonly sub: string
  readonly [customClaim: string]: unknown
}

/** The access tokens handed out so far. A token leaves for good: nothing brings it back. */
export class IssuedTokens {
  readonly #tokens = new Map<string, IssuedToken>()

  add(token: IssuedToken): void {
    this.#tokens.set(token.claims.jti, token)
  }

  find(jti: string): IssuedToken | undefined {
    return this.#tokens.get(jti)
  }

  revoke(jti: string): void {
    this.#tokens.delete(jti)
  }

  revokeWhere(matches: (claims: AccessTokenClaims) => boolean): void {
    for (const [jti, { claims }] of this.#tokens) if (matches(claims)) this.#tokens.delete(jti)
  }
}
