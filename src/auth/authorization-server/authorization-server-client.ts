import type { AuthorizationServer, ClientAuthMethod } from '../../table/policy.ts'
import type { Claims } from '../decision.ts'

/**
 * Ostiary's client as sent to the authorization server, its secret resolved. Lives in memory only and crosses threads
 * inside one process.
 */
export interface ClientWithSecret {
  readonly id: string
  readonly secret?: string
  /** PEM or JWK, for `private_key_jwt`. */
  readonly privateKey?: string
  /** `aud` of client assertions; absent: the URL of the endpoint. */
  readonly assertionAudience?: string
  readonly authMethod: ClientAuthMethod
}

/** The metadata members that are used (OpenID Connect Discovery §3, RFC 8414 §2), overrides of the policy applied. */
export interface ServerMetadata {
  readonly issuer: string
  readonly authorizationEndpoint?: string
  readonly tokenEndpoint?: string
  readonly introspectionEndpoint?: string
  readonly userinfoEndpoint?: string
  /** OpenID Connect RP-Initiated Logout §2.1. */
  readonly endSessionEndpoint?: string
  readonly revocationEndpoint?: string
  readonly jwksUri?: string
  readonly codeChallengeMethods: readonly string[]
  /** What ID tokens and logout tokens are signed with; absent where the server does not say. */
  readonly idTokenAlgorithms?: readonly string[]
  /** RFC 9207: callbacks carry `iss`. */
  readonly issParameterSupported: boolean
}

/** A JSON Web Key Set (RFC 7517 §5), public keys only, as plain data. */
export interface KeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[]
  /** Milliseconds since the epoch when this set was fetched. */
  readonly fetchedAtMs: number
}

/** What `keys` is asked for where a token names no key, and none that is known verifies it: a new one, it may be. */
export const KEY_WITHOUT_ID = ''

/** A token endpoint's answer (RFC 6749 §5.1). The ID token is validated by the client where one is expected. */
export interface TokenSet {
  readonly accessToken: string
  readonly tokenType: string
  readonly expiresInSeconds?: number
  readonly scope?: string
  readonly refreshToken?: string
  readonly idToken?: string
  readonly idTokenClaims?: Claims
  /** When the answer came, where it may be given out again later; `expiresInSeconds` counts from here. */
  readonly receivedAtSeconds?: number
}

/** The authorization server answered no (RFC 6749 §5.2, or Okta's errorCode form). */
export interface Refused {
  readonly ok: false
  readonly kind: 'refused'
  /** `invalid_client`, `invalid_scope`, `invalid_grant`, … */
  readonly error: string
  readonly description?: string
}

/** No usable answer: connection, time-out, 5xx, 429, or a body that is not what the protocol says. */
export interface ServerUnavailable {
  readonly ok: false
  readonly kind: 'unavailable'
  /** For logs; names the endpoint and the failure, never a credential. */
  readonly reason: string
  readonly retryAfterSeconds: number
}

export type Answer<T> = { readonly ok: true; readonly value: T } | Refused | ServerUnavailable

/** A token introspection answer (RFC 7662 §2.2): `active` and the claims beside it. */
export interface Introspection {
  readonly active: boolean
  readonly claims: Claims
}

export interface AuthorizationCodeGrant {
  readonly client: ClientWithSecret
  /** The full URL that the browser called back, as `redirectUri` plus its query. */
  readonly callbackUrl: string
  readonly redirectUri: string
  readonly state: string
  /** Absent where PKCE was switched off. */
  readonly codeVerifier?: string
  /** Absent where the nonce check was switched off. */
  readonly nonce?: string
  /** What was asked for as `max_age`: the ID token must say when the person signed in, and that must be no longer ago. */
  readonly maximumAgeSeconds?: number
  /** `false` where `openid` was not asked for: an answer without ID token is then no refusal. Default: true. */
  readonly idTokenExpected?: boolean
  /** Arguments of the policy's own, added to the request. Default: none. */
  readonly tokenArguments?: readonly (readonly [name: string, value: string])[]
  readonly leewaySeconds: number
}

export interface RefreshTokenGrant {
  readonly client: ClientWithSecret
  readonly refreshToken: string
  /** The session that is refreshed: requests of one session share one answer, two sessions never do. */
  readonly session: { readonly realm: string; readonly id: string }
  /** `sub` and `nonce` of the ID token that is held, where one is. */
  readonly subject?: string
  readonly nonce?: string
  /** Arguments of the policy's own, added to the request. Default: none. */
  readonly tokenArguments?: readonly (readonly [name: string, value: string])[]
  readonly leewaySeconds: number
}

export interface ClientCredentialsGrant {
  readonly client: ClientWithSecret
  readonly scopes: readonly string[]
  readonly audience: readonly string[]
  /** Arguments of the policy's own, added to the request. Default: none. */
  readonly tokenArguments?: readonly (readonly [name: string, value: string])[]
}

export interface IntrospectionRequest {
  readonly client: ClientWithSecret
  readonly token: string
  readonly hint: string
}

export interface RevocationRequest {
  readonly client: ClientWithSecret
  readonly token: string
  readonly hint: 'access_token' | 'refresh_token'
}

/**
 * Everything that is asked of authorization servers. One implementation speaks to them (in the broker, on the main
 * thread); the other, in proxy threads, asks the broker. Never throws and never rejects: failures are answers.
 */
export interface AuthorizationServerClient {
  /** Discovered once and kept; a failed discovery is retried no sooner than after some seconds. */
  metadata(server: AuthorizationServer): Promise<Answer<ServerMetadata>>
  /**
   * The server's keys. With `missingKeyId` the set is refetched at most once in 30 s per server; a failed refetch
   * gives the old set.
   */
  keys(server: AuthorizationServer, missingKeyId?: string): Promise<Answer<KeySet>>
  clientCredentialsGrant(
    server: AuthorizationServer,
    grant: ClientCredentialsGrant,
  ): Promise<Answer<TokenSet>>
  authorizationCodeGrant(
    server: AuthorizationServer,
    grant: AuthorizationCodeGrant,
  ): Promise<Answer<TokenSet>>
  /**
   * Once for all who ask with the same refresh token at the same time; its answer is kept for another 20 seconds, so
   * that a request that still holds the old token gets the new one, and a failure for a few, so that no stampede
   * follows it.
   */
  refreshTokenGrant(server: AuthorizationServer, grant: RefreshTokenGrant): Promise<Answer<TokenSet>>
  /** Refused where the token is not good, or was issued to no person. */
  userInfo(server: AuthorizationServer, accessToken: string): Promise<Answer<Claims>>
  introspect(server: AuthorizationServer, request: IntrospectionRequest): Promise<Answer<Introspection>>
  /** Revokes a token (RFC 7009). Waits no longer than two seconds: somebody is logging out meanwhile. */
  revoke(server: AuthorizationServer, request: RevocationRequest): Promise<Answer<'revoked'>>
}
