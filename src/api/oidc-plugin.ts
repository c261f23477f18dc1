import * as z from 'zod'
import type { ParsedSpec } from './consumer.ts'
import type { ObjectMeta, Origin } from './object.ts'

/** The five flows, in the order in which credentials are looked for. */
export const AUTH_METHODS = [
  'session',
  'bearer',
  'introspection',
  'client_credentials',
  'authorization_code',
] as const

export type AuthMethod = (typeof AUTH_METHODS)[number]

export const CLIENT_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const

export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number]

const url = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s]+$/, 'must be an absolute http(s) URL')
const text = z.string().min(1).max(1024)
const seconds = z.int().min(0).max(31_536_000)
const headerName = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_-]+$/, 'must be a header name')
const cookieName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/, 'must be a cookie name')
const sameSite = z.enum(['Strict', 'Lax', 'None', 'Default'])
/** Path into nested claims: each item is a key of the object before it. */
const claimPath = z.array(z.string().min(1).max(256)).min(1).max(8)
/** Items are OR, words inside an item are AND, and a name in double quotes is one word. */
const requirement = z.array(text).min(1).max(64)
const secretReference = z.strictObject({
  name: z.string().min(1).max(253),
  key: z.string().min(1).max(253).optional(),
})
const headerFromPath = z.strictObject({ header: headerName, path: claimPath })

/**
 * The spec of an OIDCPlugin. Field names are Kong's openid-connect plugin's in camelCase; an unknown field is
 * refused. Times are seconds, as in Kong, but `timeout`, which is milliseconds.
 */
export const oidcPluginSpec = z.strictObject({
  issuer: url,
  insecureAllowHttp: z.boolean().optional(),
  authMethods: z.array(z.enum(AUTH_METHODS)).min(1).max(5).optional(),
  allowedNamespaces: z.array(z.string().min(1).max(63)).max(256).optional(),

  clientId: text.optional(),
  clientSecretRef: secretReference.optional(),
  clientAuth: z.enum(CLIENT_AUTH_METHODS).optional(),
  tokenEndpointAuthMethod: z.enum(CLIENT_AUTH_METHODS).optional(),
  introspectionEndpointAuthMethod: z.enum(CLIENT_AUTH_METHODS).optional(),

  scopes: z.array(text).max(64).optional(),
  audience: z.array(text).max(16).optional(),

  authorizationEndpoint: url.optional(),
  tokenEndpoint: url.optional(),
  introspectionEndpoint: url.optional(),
  jwksEndpoint: url.optional(),
  timeout: z.int().min(100).max(60_000).default(10_000),
  caSecretRef: secretReference.optional(),
  insecureSkipTlsVerify: z.boolean().optional(),

  leeway: seconds.default(0),
  insecureSkipSignatureCheck: z.boolean().optional(),
  insecureSkipClaimsCheck: z.boolean().optional(),
  insecureSkipNonceCheck: z.boolean().optional(),
  insecureSkipProofKeyForCodeExchange: z.boolean().optional(),

  bearerTokenParamType: z
    .array(z.enum(['header', 'query', 'body', 'cookie']))
    .min(1)
    .max(4)
    .default(['header']),
  bearerTokenCookieName: cookieName.optional(),
  clientCredentialsParamType: z
    .array(z.enum(['header', 'query', 'body']))
    .min(1)
    .max(3)
    .default(['header']),
  hideCredentials: z.boolean().default(true),
  runOnPreflight: z.boolean().default(false),

  introspectJwtTokens: z.boolean().default(false),
  introspectionHint: text.default('access_token'),
  insecureSkipActiveCheck: z.boolean().optional(),
  cacheIntrospection: z.boolean().default(true),
  cacheTokens: z.boolean().default(true),
  cacheTtl: seconds.default(3600),
  cacheTtlMax: seconds.optional(),
  cacheTtlNeg: seconds.default(5),

  scopesRequired: requirement.optional(),
  scopesClaim: claimPath.default(['scope']),
  audienceRequired: requirement.optional(),
  audienceClaim: claimPath.default(['aud']),
  groupsRequired: requirement.optional(),
  groupsClaim: claimPath.default(['groups']),
  rolesRequired: requirement.optional(),
  rolesClaim: claimPath.default(['roles']),

  consumerClaims: z.array(claimPath).min(1).max(16).optional(),
  consumerBy: z
    .array(z.enum(['username', 'customId']))
    .min(1)
    .max(2)
    .default(['customId', 'username']),
  consumerOptional: z.boolean().default(false),
  anonymous: text.optional(),

  upstreamHeadersClaims: z.array(text).max(64).optional(),
  upstreamHeadersNames: z.array(headerName).max(64).optional(),
  upstreamHeaders: z.array(headerFromPath).max(64).optional(),
  downstreamHeadersClaims: z.array(text).max(64).optional(),
  downstreamHeadersNames: z.array(headerName).max(64).optional(),
  downstreamHeaders: z.array(headerFromPath).max(64).optional(),
  /** Header for the access token; `authorization:bearer` is `Authorization: Bearer …`; empty sends none. */
  upstreamAccessTokenHeader: z.string().max(128).default('authorization:bearer'),

  redirectUri: url.optional(),
  authorizationCookieSameSite: sameSite.default('Lax'),
  /** As `sessionCookieSecure`, for the flow cookie. */
  authorizationCookieSecure: z.boolean().optional(),
  authorizationRollingTimeout: z.int().min(30).max(86_400).default(600),
  sessionCookieName: cookieName.default('ostiary'),
  sessionCookiePath: z
    .string()
    .max(1024)
    .regex(/^\/[^;,\s]*$/, 'must begin with / and hold no ; , or space')
    .default('/'),
  sessionCookieDomain: z.string().max(253).optional(),
  sessionCookieSameSite: sameSite.default('Lax'),
  /** `true` marks the cookie Secure also where the request looks like http; over https it always is. */
  sessionCookieSecure: z.boolean().optional(),
  sessionRollingTimeout: seconds.default(3600),
  sessionIdlingTimeout: seconds.default(900),
  sessionAbsoluteTimeout: seconds.default(86_400),
  allowedOrigins: z.array(url).max(64).optional(),

  unauthorizedErrorMessage: text.default('Unauthorized'),
  forbiddenErrorMessage: text.default('Forbidden'),
  unauthorizedRedirectUri: url.optional(),
  forbiddenRedirectUri: url.optional(),
})

export type OIDCPluginSpec = z.output<typeof oidcPluginSpec>

/** An OIDCPlugin as read: its spec, or why the spec was refused. */
export interface OIDCPlugin {
  readonly kind: 'OIDCPlugin'
  readonly metadata: ObjectMeta
  readonly spec: ParsedSpec<OIDCPluginSpec>
  readonly origin?: Origin
}
