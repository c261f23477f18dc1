import * as z from 'zod'
import type { ParsedSpec } from './consumer.ts'
import { authorizationServerFields } from './authorization-server-fields.ts'
import { claimPath, headerName, on, seconds, secretReference, text, url } from './field-types.ts'
import { identityFields } from './identity-fields.ts'
import { loginFields, logoutFields } from './login-fields.ts'
import type { ObjectMeta, Origin } from './object.ts'
import { OIDC_PLUGIN_RULES } from './oidc-plugin-rules.ts'
import { sessionFields } from './session-fields.ts'
import { checkRules } from './spec-rule.ts'

/** The five flows, in the order in which credentials are looked for. */
export const AUTH_METHODS = [
  'session',
  'bearer',
  'introspection',
  'client_credentials',
  'authorization_code',
] as const

export const CLIENT_AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'none',
] as const

const cookieName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/, 'must be a cookie name')
const sameSite = z.enum(['Strict', 'Lax', 'None', 'Default'])
const authMethod = z.enum(CLIENT_AUTH_METHODS)
const requirement = z.array(text).min(1).max(64)
const headerFromPath = z.strictObject({
  header: headerName.describe('Header name; underscores are sent as dashes'),
  path: claimPath.describe('Path to the claim: each item is a key of the object before it'),
})

const oidcPluginFields = z.strictObject({
  issuer: url.describe('Issuer, or the full URL of its discovery document'),
  insecureAllowHttp: on.describe('Let the issuer and its endpoints be plain http beyond loopback'),
  authMethods: z
    .array(z.enum(AUTH_METHODS))
    .min(1)
    .max(5)
    .optional()
    .describe(
      'Flows that are on. Default: all that the given fields allow; without clientId bearer and client_credentials',
    ),
  allowedNamespaces: z
    .array(z.string().min(1).max(63))
    .max(256)
    .optional()
    .describe(
      'Other namespaces whose Ingresses and Services may name this plugin as namespace/name; "*" is all',
    ),

  clientId: text.optional().describe('Client at the authorization server'),
  clientSecretRef: secretReference
    .optional()
    .describe('Secret with the client secret; the default key is clientSecret'),
  clientAuth: authMethod
    .optional()
    .describe(
      'Client authentication. Default: private_key_jwt with a key, client_secret_basic with a secret, else none',
    ),
  tokenEndpointAuthMethod: authMethod.optional().describe('Overrides clientAuth at the token endpoint'),
  introspectionEndpointAuthMethod: authMethod
    .optional()
    .describe('Overrides clientAuth at the introspection endpoint'),
  ...authorizationServerFields,

  scopes: z
    .array(text)
    .max(64)
    .default(['openid'])
    .describe('Scopes asked for; openid is left out of client-credentials requests'),
  audience: z
    .array(text)
    .max(16)
    .optional()
    .describe('Audience sent in requests, and accepted in tokens unless audienceRequired is set'),

  authorizationEndpoint: url.optional().describe('Replaces the discovered authorization endpoint'),
  tokenEndpoint: url.optional().describe('Replaces the discovered token endpoint'),
  introspectionEndpoint: url.optional().describe('Replaces the discovered introspection endpoint'),
  jwksEndpoint: url.optional().describe('Replaces the discovered jwks_uri'),
  timeout: z.int().min(100).max(60_000).default(10_000).describe('Milliseconds for each call'),
  caSecretRef: secretReference
    .optional()
    .describe("Secret with PEM certificates trusted instead of the system's; the default key is ca.crt"),
  insecureSkipTlsVerify: on.describe("Do not verify the authorization server's certificate"),

  leeway: seconds.default(0).describe('Seconds of clock skew allowed in exp, nbf, iat and auth_time'),
  issuersAllowed: z
    .array(url)
    .min(1)
    .max(16)
    .optional()
    .describe('Values of iss that access tokens may have. Default: the issuer'),
  maxAge: z
    .int()
    .min(60)
    .max(31_536_000)
    .optional()
    .describe(
      'Seconds since the person last signed in (auth_time): asked for in logins, whose ID token must say it; older sessions and tokens are refused. Tokens without auth_time pass',
    ),
  reverify: z
    .boolean()
    .default(false)
    .describe(
      'Judge the access token of a session on every request as if it were sent as a bearer token: by signature, or by introspection where that method is on',
    ),
  insecureSkipSignatureCheck: on.describe('Take tokens without checking their signature'),
  insecureSkipClaimsCheck: on.describe('Take tokens without checking iss, aud, exp, nbf and iat'),
  insecureSkipNonceCheck: on.describe('Do not send or check the nonce of ID tokens'),
  insecureSkipProofKeyForCodeExchange: on.describe('Do not use PKCE'),

  bearerTokenParamType: z
    .array(z.enum(['header', 'query', 'body', 'cookie']))
    .min(1)
    .max(4)
    .default(['header'])
    .describe(
      'Places where bearer tokens are looked for; bodies are read when form-urlencoded and up to 8 KiB',
    ),
  bearerTokenCookieName: cookieName
    .optional()
    .describe('Cookie that holds the token, where cookie is among the places'),
  bearerTokenHeaderName: headerName
    .optional()
    .describe(
      'The one header that tokens are looked for in, with or without "Bearer " before them. Default: Authorization, Access-Token and X-Access-Token',
    ),
  clientCredentialsParamType: z
    .array(z.enum(['header', 'query', 'body']))
    .min(1)
    .max(3)
    .default(['header'])
    .describe('Places where client id and secret are looked for'),
  hideCredentials: z
    .boolean()
    .default(true)
    .describe('Take the credential that was used out of the upstream request'),
  runOnPreflight: z.boolean().default(false).describe('Authenticate CORS preflights too'),

  introspectJwtTokens: z
    .boolean()
    .default(false)
    .describe('Introspect JWTs too, never trusting the signature alone'),
  introspectionHint: text.default('access_token').describe('token_type_hint sent'),
  insecureSkipActiveCheck: on.describe('Take tokens that introspection calls inactive'),
  cacheIntrospection: z
    .boolean()
    .default(true)
    .describe('Keep introspection answers; a revoked token passes that long'),
  cacheTokens: z
    .boolean()
    .default(true)
    .describe('Keep tokens fetched with client credentials until shortly before expiry'),
  cacheTtl: seconds
    .default(3600)
    .describe(
      'Seconds that answers without an expiry of their own are kept, and introspection answers at most: a revoked token passes that long',
    ),
  cacheTtlMax: seconds.optional().describe('Upper bound of seconds that any answer is kept'),
  cacheTtlNeg: seconds.default(5).describe('Seconds that refusals are remembered'),

  scopesRequired: requirement
    .optional()
    .describe('Items are OR, words in an item AND; "a name in double quotes" is one word'),
  scopesClaim: claimPath
    .default(['scope'])
    .describe("Path to the scopes; scope also reads Okta's scp and the reverse"),
  audienceRequired: requirement.optional().describe('Required audiences, as scopesRequired'),
  audienceClaim: claimPath.default(['aud']).describe('Path to the audience'),
  groupsRequired: requirement.optional().describe('Required groups, as scopesRequired'),
  groupsClaim: claimPath.default(['groups']).describe('Path to the groups'),
  rolesRequired: requirement.optional().describe('Required roles, as scopesRequired'),
  rolesClaim: claimPath.default(['roles']).describe('Path to the roles'),

  consumerClaims: z
    .array(claimPath)
    .min(1)
    .max(16)
    .optional()
    .describe('Claim paths in order; the first present one names the Consumer'),
  consumerBy: z
    .array(z.enum(['username', 'customId']))
    .min(1)
    .max(2)
    .default(['customId', 'username'])
    .describe('Consumer fields that the claim is compared with'),
  consumerOptional: z.boolean().default(false).describe('Let a request pass for which no Consumer is found'),
  anonymous: text.optional().describe('Username of the Consumer that a request without credentials is given'),
  ...identityFields,

  upstreamHeadersClaims: z
    .array(text)
    .max(64)
    .optional()
    .describe('Top-level claims copied to upstream headers'),
  upstreamHeadersNames: z.array(headerName).max(64).optional().describe('Their headers, at the same index'),
  upstreamHeaders: z
    .array(headerFromPath)
    .max(64)
    .optional()
    .describe(
      'Claims by path copied to upstream headers: text as it is, an array of strings joined by ", ", anything else as JSON',
    ),
  downstreamHeadersClaims: z
    .array(text)
    .max(64)
    .optional()
    .describe('Top-level claims copied to response headers'),
  downstreamHeadersNames: z.array(headerName).max(64).optional().describe('Their headers, at the same index'),
  downstreamHeaders: z
    .array(headerFromPath)
    .max(64)
    .optional()
    .describe('Claims by path copied to response headers, written as in upstreamHeaders'),
  upstreamAccessTokenHeader: z
    .string()
    .max(128)
    .regex(/^([A-Za-z0-9_-]+(:bearer)?)?$/, 'must be a header name, NAME:bearer, or empty')
    .default('authorization:bearer')
    .describe('Header for the access token; NAME:bearer puts "Bearer " before it, empty sends none'),

  upstreamHeadersPreset: z
    .enum(['x-auth-request'])
    .optional()
    .describe(
      'x-auth-request: send X-Auth-Request-* and X-Forwarded-{User,Email,Groups,Preferred-Username,Access-Token}, as oauth2-proxy does',
    ),

  redirectUri: url.optional().describe('Callback URL. Default: /oauth2/callback on the host of the request'),
  authorizationCookieSameSite: sameSite
    .default('Lax')
    .describe('SameSite of the flow cookie; Default writes none'),
  authorizationCookieSecure: on.describe(
    'Mark the flow cookie Secure over http too; over https it always is',
  ),
  authorizationRollingTimeout: z
    .int()
    .min(30)
    .max(86_400)
    .default(600)
    .describe('Seconds allowed to finish a login'),
  ...sessionFields,
  sessionCookieName: cookieName
    .default('ostiary')
    .describe("First part of the cookie's name; the realm's hash follows"),
  sessionCookiePath: z
    .string()
    .max(1024)
    .regex(/^\/[^;,\s]*$/, 'must begin with / and hold no ; , or space')
    .default('/')
    .describe('Path of the session cookie'),
  sessionCookieDomain: z
    .string()
    .max(253)
    .regex(/^\.?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a lower-case domain')
    .optional()
    .describe('Domain of the session cookie; every attached host must lie in it'),
  sessionCookieSameSite: sameSite
    .default('Lax')
    .describe('SameSite of the session cookie; Default writes none'),
  sessionCookieSecure: on.describe('Mark the session cookie Secure over http too; over https it always is'),
  sessionRollingTimeout: seconds.default(3600).describe('Seconds until a session must be renewed; 0: never'),
  sessionIdlingTimeout: seconds
    .default(900)
    .describe('Seconds without a request after which a session ends; 0: never'),
  sessionAbsoluteTimeout: seconds
    .default(86_400)
    .describe('Seconds after login when a session ends; 0: never'),
  allowedOrigins: z
    .array(url)
    .max(64)
    .optional()
    .describe('Other origins that may send unsafe methods, or open WebSockets, with the session cookie'),
  closeUpgradedConnections: z
    .boolean()
    .default(false)
    .describe(
      'Judge open WebSockets again every two seconds, and cut the connection within five of a logout, of the end of the session or token, or when their route no longer lets them pass or is gone; no close frame is sent. Takes those opened while it is on. A logout is seen with sessionStorage: redis alone; with cookies a session ends after sessionAbsoluteTimeout, or with an access token that cannot be refreshed. An open connection is no use of the session',
    ),

  ...loginFields,
  ...logoutFields,

  exposeErrorCode: z
    .boolean()
    .default(true)
    .describe('Give the error code of RFC 6750 in WWW-Authenticate of a 401 or 403'),
  displayErrors: z
    .boolean()
    .default(false)
    .describe('Add the reason in brackets to the message of a 401 or 403; for finding faults'),
  unauthorizedErrorMessage: text.default('Unauthorized').describe('Message of a 401'),
  forbiddenErrorMessage: text.default('Forbidden').describe('Message of a 403'),
  unauthorizedRedirectUri: url.optional().describe('Where a navigation is sent in place of a 401'),
  forbiddenRedirectUri: url.optional().describe('Where a navigation is sent in place of a 403'),
})

export type OIDCPluginSpec = z.output<typeof oidcPluginFields>

/**
 * The spec of an OIDCPlugin. Field names are Kong's openid-connect plugin's in camelCase; an unknown field is
 * refused. Times are seconds, as in Kong, but `timeout`, which is milliseconds.
 */
export const oidcPluginSpec = oidcPluginFields.superRefine((spec, context) => {
  for (const { path, message } of checkRules(OIDC_PLUGIN_RULES, spec)) {
    context.addIssue({ code: 'custom', path: [path], message })
  }
})

/** An OIDCPlugin as read: its spec, or why the spec was refused. */
export interface OIDCPlugin {
  readonly kind: 'OIDCPlugin'
  readonly metadata: ObjectMeta
  readonly spec: ParsedSpec<OIDCPluginSpec>
  readonly origin?: Origin
}
