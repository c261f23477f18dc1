import type { OIDCPluginSpec } from './oidc-plugin.ts'
import { PROTOCOL_ARGUMENTS } from './login-fields.ts'
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

const secretNeeded: readonly SpecRule<OIDCPluginSpec>[] = (
  ['clientAuth', 'tokenEndpointAuthMethod', 'introspectionEndpointAuthMethod'] as const
).map((path) => ({
  path,
  message: 'is a method with a secret, which needs clientSecretRef; without a secret it can only be none',
  holds: (spec) => spec.clientSecretRef !== undefined || spec[path] === undefined || spec[path] === 'none',
  cel: `has(self.clientSecretRef) || !has(self.${path}) || self.${path} == 'none'`,
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

const loginRules: readonly SpecRule<OIDCPluginSpec>[] = [
  {
    path: 'authorizationQueryArgsNames',
    message: 'must have as many items as authorizationQueryArgsValues: the two are paired by index',
    holds: (spec) =>
      (spec.authorizationQueryArgsNames?.length ?? 0) === (spec.authorizationQueryArgsValues?.length ?? 0),
    cel:
      '(has(self.authorizationQueryArgsNames) ? self.authorizationQueryArgsNames.size() : 0) == ' +
      '(has(self.authorizationQueryArgsValues) ? self.authorizationQueryArgsValues.size() : 0)',
  },
  {
    path: 'authorizationQueryArgsNames',
    message: `names an argument that Ostiary sets itself (${PROTOCOL_ARGUMENTS.join(', ')})`,
    holds: (spec) =>
      !(spec.authorizationQueryArgsNames ?? []).some((name) => PROTOCOL_ARGUMENTS.includes(name)),
    cel:
      '!has(self.authorizationQueryArgsNames) || ' +
      `!self.authorizationQueryArgsNames.exists(n, n in ['${PROTOCOL_ARGUMENTS.join("', '")}'])`,
  },
  {
    path: 'loginAction',
    message: 'is upstream, which needs a redirectUri on a path of your routes',
    holds: (spec) => spec.loginAction !== 'upstream' || spec.redirectUri !== undefined,
    cel: "!has(self.loginAction) || self.loginAction != 'upstream' || has(self.redirectUri)",
  },
  {
    path: 'loginAction',
    message: 'is response, which has nothing to answer with: name tokens in loginTokens',
    holds: (spec) => spec.loginAction !== 'response' || spec.loginTokens.length > 0,
    cel:
      "!has(self.loginAction) || self.loginAction != 'response' || " +
      '(has(self.loginTokens) && self.loginTokens.size() > 0)',
  },
  {
    path: 'loginRedirectUri',
    message: 'has an effect with loginAction redirect only',
    holds: (spec) => spec.loginRedirectUri === undefined || spec.loginAction === 'redirect',
    cel: "!has(self.loginRedirectUri) || !has(self.loginAction) || self.loginAction == 'redirect'",
  },
  {
    path: 'loginTokens',
    message: 'has no effect with loginAction upstream: the token goes in upstreamAccessTokenHeader',
    holds: (spec) => spec.loginAction !== 'upstream' || spec.loginTokens.length === 0,
    cel:
      "!has(self.loginAction) || self.loginAction != 'upstream' || " +
      '!has(self.loginTokens) || self.loginTokens.size() == 0',
  },
  {
    path: 'responseMode',
    message: 'is form_post, whose cookies need https: give redirectUri as https, or on a loopback address',
    holds: (spec) => spec.responseMode !== 'form_post' || SAFE_URL.test(spec.redirectUri ?? 'https://'),
    cel:
      "!has(self.responseMode) || self.responseMode != 'form_post' || !has(self.redirectUri) || " +
      "self.redirectUri.matches('^(https://|http://(localhost|127[.][0-9.]+|[[]::1[]])([:/?]|$))')",
  },
]

/** Every rule across the fields of an OIDCPlugin's spec. */
export const OIDC_PLUGIN_RULES: readonly SpecRule<OIDCPluginSpec>[] = [
  ...safeUrls,
  ...clientNeeded,
  ...secretNeeded,
  ...pairedLists,
  ...loginRules,
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
