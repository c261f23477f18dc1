import type { AuthorizationServer, Policy } from '../../src/table/policy.ts'

export const ISSUER = 'https://login.example.com/oauth2/default'

/** An authorization server with nothing but its issuer. */
export function aServer(issuer = ISSUER, overrides: Partial<AuthorizationServer> = {}): AuthorizationServer {
  return {
    id: `server of ${issuer}`,
    issuer,
    discoveryUrls: [`${issuer}/.well-known/openid-configuration`],
    extraJwksUris: [],
    missingKeyPauseMs: 30_000,
    proxy: {},
    timeoutMs: 1000,
    insecureAllowHttp: false,
    insecureSkipTlsVerify: false,
    ...overrides,
  }
}

/** What an OIDCPlugin with an issuer alone compiles to, but with one method: bearer. */
export function aPolicy(overrides: Partial<Policy> = {}): Policy {
  return {
    id: 'default/oidc',
    namespace: 'default',
    revision: 'uid-1',
    methods: ['bearer'],
    server: aServer(),
    scopes: [],
    audience: [],
    tokenArguments: [],
    verification: {
      leewaySeconds: 0,
      audiences: ['api://default'],
      issuers: [],
      insecureSkipSignatureCheck: false,
      insecureSkipClaimsCheck: false,
    },
    reverifiesSessions: false,
    bearer: { places: ['header'] },
    introspection: {
      introspectJwtTokens: false,
      hint: 'access_token',
      insecureSkipActiveCheck: false,
      cache: true,
    },
    clientCredentials: { places: ['header'], cache: true },
    cache: { ttlSeconds: 3600, negativeTtlSeconds: 5 },
    session: {
      realm: '0123456789abcdef',
      cookieName: 'ostiary_01234567',
      cookiePath: '/',
      sameSite: 'Lax',
      alwaysSecure: false,
      rollingTimeoutSeconds: 3600,
      idlingTimeoutSeconds: 900,
      absoluteTimeoutSeconds: 86_400,
      cookieMaximumBytes: 16_384,
      refreshTokens: true,
      refreshLeewaySeconds: 30,
      claimsMaximumAgeSeconds: 0,
      allowedOrigins: [],
    },
    authorizationCode: {
      flowCookieSameSite: 'Lax',
      flowCookieAlwaysSecure: false,
      flowTimeoutSeconds: 600,
      responseMode: 'query',
      requestArguments: [],
      clientArguments: [],
      action: 'redirect',
      loginTokens: [],
      loginTokensIn: 'fragment',
      insecureSkipNonceCheck: false,
      insecureSkipProofKeyForCodeExchange: false,
    },
    logout: {
      methods: ['POST', 'DELETE'],
      revokeAccessToken: false,
      revokeRefreshToken: false,
      backchannel: false,
      frontchannel: false,
    },
    identity: { groupsClaim: ['groups'], headersPreset: false },
    requirements: {},
    consumer: {
      claims: [],
      by: ['customId', 'username'],
      optional: false,
      credentialClaim: ['sub'],
    },
    refusal: {
      unauthorizedMessage: 'Unauthorized',
      forbiddenMessage: 'Forbidden',
      exposeErrorCode: true,
      displayErrors: false,
    },
    hideCredentials: true,
    runOnPreflight: false,
    upstreamHeaders: [],
    downstreamHeaders: [],
    accessTokenHeader: { name: 'authorization', bearer: true },
    ...overrides,
  }
}

/** Ostiary's own client, with the secret `ostiary-secret`. */
export const OWN_CLIENT: NonNullable<Policy['client']> = {
  id: 'ostiary',
  secret: 'default/ostiary/client-secret',
  tokenEndpointAuthMethod: 'client_secret_basic',
  introspectionEndpointAuthMethod: 'client_secret_post',
}
