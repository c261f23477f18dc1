import { PROTOCOL_ARGUMENTS } from './login-fields.ts'
import type { OIDCPluginSpec } from './oidc-plugin.ts'
import type { SpecRule } from './spec-rule.ts'

/** Cookies that are Secure are kept over https, and on loopback by most browsers. */
const SAFE_URL = /^(https:\/\/|http:\/\/(localhost|127\.[0-9.]+|\[::1\])([:/?]|$))/

/** What the fields of logins and logouts ask of each other. */
export const LOGIN_RULES: readonly SpecRule<OIDCPluginSpec>[] = [
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
  {
    path: 'responseMode',
    message: 'is form_post, and loginAction upstream cannot go on with a request that was posted',
    holds: (spec) => spec.responseMode !== 'form_post' || spec.loginAction !== 'upstream',
    cel:
      "!has(self.responseMode) || self.responseMode != 'form_post' || " +
      "!has(self.loginAction) || self.loginAction != 'upstream'",
  },
  ...(['backchannelLogout', 'frontchannelLogout'] as const).map((path): SpecRule<OIDCPluginSpec> => ({
    path,
    message: 'needs sessionStorage: redis: sessions in cookies can be ended by their browser alone',
    holds: (spec) => spec[path] !== true || spec.sessionStorage === 'redis',
    cel: `!has(self.${path}) || !self.${path} || (has(self.sessionStorage) && self.sessionStorage == 'redis')`,
  })),
]
