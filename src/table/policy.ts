import type { SecretId } from './secret-table.ts'

/** `namespace/name` of the OIDCPlugin that a policy was compiled from. */
export type PolicyId = string

export type AuthMethod = 'session' | 'bearer' | 'introspection' | 'client_credentials' | 'authorization_code'
export type ClientAuthMethod =
  'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt' | 'private_key_jwt' | 'none'
export type SameSite = 'Strict' | 'Lax' | 'None' | 'Default'

/** How an authorization server is reached: all that its metadata and keys depend on. */
export interface AuthorizationServer {
  /** Equal for policies that may share metadata, keys and connections; a digest of the other fields. */
  readonly id: string
  /** The issuer without a discovery suffix. The discovered `issuer` must equal it but for one trailing slash. */
  readonly issuer: string
  /** Discovery documents to try, in this order (OpenID Connect Discovery §4, RFC 8414 §3). */
  readonly discoveryUrls: readonly string[]
  readonly authorizationEndpoint?: string
  readonly tokenEndpoint?: string
  readonly introspectionEndpoint?: string
  readonly jwksEndpoint?: string
  readonly endSessionEndpoint?: string
  readonly revocationEndpoint?: string
  readonly userinfoEndpoint?: string
  /** Key sets that count as the issuer's own beside it. */
  readonly extraJwksUris: readonly string[]
  /** Least time between two fetches of the keys for an unknown key id. */
  readonly missingKeyPauseMs: number
  /** What the policy says of HTTP proxies; absent members: as the controller's settings have it. */
  readonly proxy: {
    readonly httpUrl?: string
    readonly httpsUrl?: string
    /** As in NO_PROXY; empty: no host is exempt. */
    readonly exempt?: readonly string[]
  }
  readonly timeoutMs: number
  /** PEM certificates that replace the system's, or absent. */
  readonly certificateAuthorities?: string
  readonly insecureAllowHttp: boolean
  readonly insecureSkipTlsVerify: boolean
}

/** Ostiary's own client at the authorization server. */
export interface Client {
  readonly id: string
  readonly secret?: SecretId
  /** PKCS#8 PEM or JWK of `private_key_jwt`. */
  readonly key?: SecretId
  /** `aud` of client assertions; absent: the URL of the endpoint. */
  readonly assertionAudience?: string
  readonly tokenEndpointAuthMethod: ClientAuthMethod
  readonly introspectionEndpointAuthMethod: ClientAuthMethod
}

/** A claim copied to a header. `header` is lower case with dashes. */
export interface ClaimHeader {
  readonly header: string
  readonly path: readonly string[]
}

/**
 * A `…Required` list: outer items are OR, inner words are AND, so `["a b", "c"]` is `[["a","b"],["c"]]`.
 */
export interface Requirement {
  readonly claim: readonly string[]
  readonly anyOf: readonly (readonly string[])[]
}

export interface TokenVerification {
  readonly leewaySeconds: number
  /** Accepted `aud` values; empty: not checked. */
  readonly audiences: readonly string[]
  /** Accepted `iss` values of access tokens; empty: the server's issuer. */
  readonly issuers: readonly string[]
  /** Greatest age of `auth_time` where there is one. */
  readonly maximumAgeSeconds?: number
  readonly insecureSkipSignatureCheck: boolean
  readonly insecureSkipClaimsCheck: boolean
}

export interface BearerPolicy {
  readonly places: readonly ('header' | 'query' | 'body' | 'cookie')[]
  readonly cookieName?: string
  /** The one header that tokens are looked for in, lower case; absent: Authorization and Kong's two. */
  readonly headerName?: string
}

export interface IntrospectionPolicy {
  readonly introspectJwtTokens: boolean
  readonly hint: string
  readonly insecureSkipActiveCheck: boolean
  readonly cache: boolean
}

export interface ClientCredentialsPolicy {
  readonly places: readonly ('header' | 'query' | 'body')[]
  readonly cache: boolean
}

export interface CachePolicy {
  /** For answers that carry no expiry of their own. */
  readonly ttlSeconds: number
  readonly maximumTtlSeconds?: number
  readonly negativeTtlSeconds: number
}

/** One address of Redis or of a Sentinel. */
export interface RedisNode {
  readonly host: string
  readonly port: number
}

/** The Redis that keeps sessions. */
export interface RedisServer {
  /** Equal for policies that may share a connection; a digest of the other fields. */
  readonly id: string
  /** The server; with `sentinel` the Sentinels that know it. */
  readonly nodes: readonly RedisNode[]
  readonly sentinel?: { readonly master: string; readonly username?: string; readonly password?: SecretId }
  readonly database: number
  readonly username?: string
  readonly password?: SecretId
  /** Before every key. */
  readonly prefix: string
  /** Absent: no TLS. */
  readonly tls?: {
    /** PEM certificates that replace the system's, or absent. */
    readonly certificateAuthorities?: string
    readonly serverName?: string
    readonly insecureSkipVerify: boolean
  }
  readonly connectTimeoutMs: number
  /** How long an answer is waited for. */
  readonly readTimeoutMs: number
}

/** Sessions of policies with an equal realm are one session: issuer, client, cookie settings and namespace. */
export interface SessionPolicy {
  /** Digest in lower-case hex of what makes the realm; also in the cookie's name and the HKDF info of its key. */
  readonly realm: string
  /**
   * `<sessionCookieName>_<first 8 of realm>`. At run time `__Host-` or `__Secure-` is put before it and `_os_<n>`
   * after it; auth/session/cookie-names.ts recognises our cookies by that end alone.
   */
  readonly cookieName: string
  readonly cookiePath: string
  readonly cookieDomain?: string
  readonly sameSite: SameSite
  readonly alwaysSecure: boolean
  /** 0 disables, as in Kong. */
  readonly rollingTimeoutSeconds: number
  readonly idlingTimeoutSeconds: number
  readonly absoluteTimeoutSeconds: number
  /** Absent: sessions live in sealed cookies. */
  readonly redis?: RedisServer
  /** All cookies of a session together. */
  readonly cookieMaximumBytes: number
  /** Whether a refresh token that a session holds is used. */
  readonly refreshTokens: boolean
  /** So long before the access token's expiry it is refreshed, but for no more than half its life. */
  readonly refreshLeewaySeconds: number
  /** Tokens that are older are refreshed, or end the session; 0: they are as old as they may get. */
  readonly claimsMaximumAgeSeconds: number
  readonly allowedOrigins: readonly string[]
}

export interface AuthorizationCodePolicy {
  /** Absolute URI, or absent: `<scheme>://<authority>/oauth2/callback` of the request. */
  readonly redirectUri?: string
  readonly flowCookieSameSite: SameSite
  readonly flowCookieAlwaysSecure: boolean
  readonly flowTimeoutSeconds: number
  readonly responseMode: 'query' | 'form_post'
  /** Added to the authorization request. A name may repeat, as `resource` does (RFC 8707 §2). */
  readonly requestArguments: readonly (readonly [name: string, value: string])[]
  /** Names copied from the query of the request that starts the login, in place of `requestArguments` of that name. */
  readonly clientArguments: readonly string[]
  /** What becomes of a completed login. */
  readonly action: 'redirect' | 'response' | 'upstream'
  /** Where `redirect` goes; absent: to where the login began. */
  readonly loginRedirectUri?: string
  /** Tokens told to the browser: in the answer of `response`, or in that part of the URL of `redirect`. */
  readonly loginTokens: readonly ('access_token' | 'id_token' | 'refresh_token')[]
  readonly loginTokensIn: 'fragment' | 'query'
  readonly insecureSkipNonceCheck: boolean
  readonly insecureSkipProofKeyForCodeExchange: boolean
}

/** How people log out, beside the reserved paths. */
export interface LogoutPolicy {
  readonly methods: readonly ('DELETE' | 'GET' | 'POST')[]
  readonly queryArgument?: string
  readonly postArgument?: string
  /** End of a path in the form that routes are matched in. */
  readonly pathSuffix?: string
  readonly redirectUri?: string
  readonly revokeAccessToken: boolean
  readonly revokeRefreshToken: boolean
  readonly backchannel: boolean
  readonly frontchannel: boolean
}

/** Where a caller's names are, as oauth2-proxy's users know them. */
export interface IdentityPolicy {
  readonly groupsClaim: readonly string[]
  /** Send X-Auth-Request-* and X-Forwarded-{User,…} upstream, and answer `/oauth2/auth` with the former. */
  readonly headersPreset: boolean
}

export interface ConsumerPolicy {
  /** Claim paths in order; the first present claim names the consumer. Empty: no mapping. */
  readonly claims: readonly (readonly string[])[]
  readonly by: readonly ('username' | 'customId')[]
  readonly optional: boolean
  /** Username of the fallback consumer. */
  readonly anonymous?: string
  /** Names the credential of a caller without consumer. */
  readonly credentialClaim: readonly string[]
  /** Groups of a caller without consumer, or with the fallback one; absent: none. */
  readonly groupsClaim?: readonly string[]
}

export interface RefusalPolicy {
  readonly unauthorizedMessage: string
  readonly forbiddenMessage: string
  readonly unauthorizedRedirectUri?: string
  readonly forbiddenRedirectUri?: string
  /** Whether challenges carry the error code of RFC 6750. */
  readonly exposeErrorCode: boolean
  /** Whether messages end in the reason in brackets. */
  readonly displayErrors: boolean
}

/** An OIDCPlugin that was accepted, compiled: defaults filled in, references resolved, secrets named. */
export interface Policy {
  readonly id: PolicyId
  readonly namespace: string
  /** UID, generation and a digest of the secrets: part of every cache key, so that an edit drops old entries. */
  readonly revision: string
  readonly methods: readonly AuthMethod[]
  readonly server: AuthorizationServer
  readonly client?: Client
  readonly scopes: readonly string[]
  readonly audience: readonly string[]
  /** Arguments added to requests at the token endpoint. */
  readonly tokenArguments: readonly (readonly [name: string, value: string])[]
  readonly verification: TokenVerification
  /** Sessions pass only while their access token would by itself. */
  readonly reverifiesSessions: boolean
  /** Upgraded connections are authorized again while they are open, and cut when they may no longer pass. */
  readonly reauthorizesUpgrades?: true
  /** Absent: the userinfo endpoint is not asked. */
  readonly userInfo?: { readonly cache: boolean }
  readonly bearer: BearerPolicy
  readonly introspection: IntrospectionPolicy
  readonly clientCredentials: ClientCredentialsPolicy
  readonly cache: CachePolicy
  readonly session: SessionPolicy
  readonly authorizationCode: AuthorizationCodePolicy
  readonly logout: LogoutPolicy
  readonly identity: IdentityPolicy
  readonly requirements: {
    readonly scopes?: Requirement
    readonly audience?: Requirement
    readonly groups?: Requirement
    readonly roles?: Requirement
  }
  readonly consumer: ConsumerPolicy
  readonly refusal: RefusalPolicy
  readonly hideCredentials: boolean
  readonly runOnPreflight: boolean
  readonly upstreamHeaders: readonly ClaimHeader[]
  readonly downstreamHeaders: readonly ClaimHeader[]
  /** Lower-case header name; `bearer` puts `Bearer ` before the token. Absent: the token is not sent. */
  readonly accessTokenHeader?: { readonly name: string; readonly bearer: boolean }
  /** Lower-case names of headers that tell more of the credential: see `credentialHeaders`. */
  readonly idTokenHeader?: string
  readonly introspectionHeader?: string
  readonly userInfoHeader?: string
}
