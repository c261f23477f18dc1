import type { OIDCPluginSpec } from './oidc-plugin.ts'
import { TOKEN_ARGUMENTS } from './authorization-server-fields.ts'
import { LOGIN_RULES } from './login-rules.ts'
import { SESSION_RULES } from './session-rules.ts'
import type { SpecRule } from './spec-rule.ts'

/** http is for loopback only (DESIGN: closed by default), unless the plugin says `insecureAllowHttp`. */
const SAFE_URL = /^(https:\/\/|http:\/\/(localhost|127\.[0-9.]+|\[::1\])([:/?]|$))/
const URL_FIELDS = [
  'issuer',
  'authorizationEndpoint',
  'tokenEndpoint',
  'introspectionEndpoint',
  'jwksEndpoint',
  'endSessionEndpoint',
  'revocationEndpoint',
  'userinfoEndpoint',
] as const

const safeUrls: readonly SpecRule<OIDCPluginSpec>[] = URL_FIELDS.map((path) => ({
  path,
  message: 'must be https; plain http needs insecureAllowHttp: true, or a loopback address',
  holds: (spec) => spec.insecureAllowHttp === true || SAFE_URL.test(spec[path] ?? 'https://'),
  cel:
    `(has(self.insecureAllowHttp) && self.insecureAllowHttp) || !has(self.${path}) || ` +
    `self.${path}.matches('^(https://|http://(localhost|127[.][0-9.]+|[[]::1[]])([:/?]|$))')`,
}))

const clientNeeded: readonly SpecRule<OIDCPluginSpec>[] = (
  ['session', 'introspection', 'authorization_code'] as const
).map((method) => ({
  path: 'authMethods',
  message: `lists ${method}, which needs clientId`,
  holds: (spec) => spec.clientId !== undefined || !(spec.authMethods ?? []).includes(method),
  cel: `has(self.clientId) || !has(self.authMethods) || !self.authMethods.exists(m, m == '${method}')`,
}))

const METHOD_FIELDS = ['clientAuth', 'tokenEndpointAuthMethod', 'introspectionEndpointAuthMethod'] as const

const secretNeeded: readonly SpecRule<OIDCPluginSpec>[] = METHOD_FIELDS.map((path) => ({
  path,
  message: 'is a method with a secret, which needs clientSecretRef',
  holds: (spec) => spec.clientSecretRef !== undefined || spec[path]?.startsWith('client_secret_') !== true,
  cel: `has(self.clientSecretRef) || !has(self.${path}) || !self.${path}.startsWith('client_secret_')`,
}))

const keyNeeded: readonly SpecRule<OIDCPluginSpec>[] = METHOD_FIELDS.map((path) => ({
  path,
  message: 'is private_key_jwt, which needs clientKeySecretRef',
  holds: (spec) => spec.clientKeySecretRef !== undefined || spec[path] !== 'private_key_jwt',
  cel: `has(self.clientKeySecretRef) || !has(self.${path}) || self.${path} != 'private_key_jwt'`,
}))

const pairedLists: readonly SpecRule<OIDCPluginSpec>[] = (['upstream', 'downstream'] as const).map(
  (side) => ({
    path: `${side}HeadersNames`,
    message: `must have as many items as ${side}HeadersClaims: the two are paired by index`,
    holds: (spec) =>
      (spec[`${side}HeadersNames`]?.length ?? 0) === (spec[`${side}HeadersClaims`]?.length ?? 0),
    cel:
      `(has(self.${side}HeadersNames) ? self.${side}HeadersNames.size() : 0) == ` +
      `(has(self.${side}HeadersClaims) ? self.${side}HeadersClaims.size() : 0)`,
  }),
)

const authorizationServerRules: readonly SpecRule<OIDCPluginSpec>[] = [
  {
    path: 'clientKeySecretRef',
    message: 'needs clientId: a key is of no use without it',
    holds: (spec) => spec.clientKeySecretRef === undefined || spec.clientId !== undefined,
    cel: '!has(self.clientKeySecretRef) || has(self.clientId)',
  },
  {
    path: 'extraJwksUris',
    message: 'must be https; plain http needs insecureAllowHttp: true, or a loopback address',
    holds: (spec) =>
      spec.insecureAllowHttp === true || (spec.extraJwksUris ?? []).every((each) => SAFE_URL.test(each)),
    cel:
      '(has(self.insecureAllowHttp) && self.insecureAllowHttp) || !has(self.extraJwksUris) || ' +
      "self.extraJwksUris.all(u, u.matches('^(https://|http://(localhost|127[.][0-9.]+|[[]::1[]])([:/?]|$))'))",
  },
  {
    path: 'tokenPostArgsNames',
    message: 'must have as many items as tokenPostArgsValues: the two are paired by index',
    holds: (spec) => (spec.tokenPostArgsNames?.length ?? 0) === (spec.tokenPostArgsValues?.length ?? 0),
    cel:
      '(has(self.tokenPostArgsNames) ? self.tokenPostArgsNames.size() : 0) == ' +
      '(has(self.tokenPostArgsValues) ? self.tokenPostArgsValues.size() : 0)',
  },
  {
    path: 'tokenPostArgsNames',
    message: `names an argument that Ostiary sets itself (${TOKEN_ARGUMENTS.join(', ')})`,
    holds: (spec) => !(spec.tokenPostArgsNames ?? []).some((name) => TOKEN_ARGUMENTS.includes(name)),
    cel:
      '!has(self.tokenPostArgsNames) || ' +
      `!self.tokenPostArgsNames.exists(n, n in ['${TOKEN_ARGUMENTS.join("', '")}'])`,
  },
  {
    path: 'introspectJwtTokens',
    message: 'needs introspection among authMethods (and clientId): no JWT could ever be accepted',
    holds: (spec) =>
      !spec.introspectJwtTokens ||
      (spec.authMethods === undefined
        ? spec.clientId !== undefined
        : spec.authMethods.includes('introspection')),
    cel:
      '!has(self.introspectJwtTokens) || !self.introspectJwtTokens || ' +
      "(has(self.authMethods) ? self.authMethods.exists(m, m == 'introspection') : has(self.clientId))",
  },
]

const identityRules: readonly SpecRule<OIDCPluginSpec>[] = [
  {
    path: 'bearerTokenHeaderName',
    message: 'has an effect where bearerTokenParamType lists header only',
    holds: (spec) => spec.bearerTokenHeaderName === undefined || spec.bearerTokenParamType.includes('header'),
    cel:
      '!has(self.bearerTokenHeaderName) || !has(self.bearerTokenParamType) || ' +
      "self.bearerTokenParamType.exists(p, p == 'header')",
  },
  {
    path: 'upstreamUserInfoHeader',
    message: 'needs searchUserInfo: true',
    holds: (spec) => spec.upstreamUserInfoHeader === undefined || spec.searchUserInfo,
    cel: '!has(self.upstreamUserInfoHeader) || (has(self.searchUserInfo) && self.searchUserInfo)',
  },
]

/** Every rule across the fields of an OIDCPlugin's spec. */
export const OIDC_PLUGIN_RULES: readonly SpecRule<OIDCPluginSpec>[] = [
  ...safeUrls,
  ...clientNeeded,
  ...secretNeeded,
  ...SESSION_RULES,
  ...keyNeeded,
  ...pairedLists,
  ...LOGIN_RULES,
  ...authorizationServerRules,
  ...identityRules,
  {
    path: 'clientSecretRef',
    message: 'needs clientId: a secret is of no use without it',
    holds: (spec) => spec.clientSecretRef === undefined || spec.clientId !== undefined,
    cel: '!has(self.clientSecretRef) || has(self.clientId)',
  },
  {
    path: 'bearerTokenCookieName',
    message: 'is needed where bearerTokenParamType lists cookie',
    holds: (spec) =>
      spec.bearerTokenCookieName !== undefined || !spec.bearerTokenParamType.includes('cookie'),
    cel:
      'has(self.bearerTokenCookieName) || !has(self.bearerTokenParamType) || ' +
      "!self.bearerTokenParamType.exists(p, p == 'cookie')",
  },
]
