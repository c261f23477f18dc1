import type { OIDCPluginSpec } from '../api/oidc-plugin.ts'
import { normalPath } from '../table/normal-path.ts'
import type { AuthorizationCodePolicy, LogoutPolicy } from '../table/policy.ts'
import type { PolicyProblems } from './policy-problem.ts'
import { compileSecure } from './policy-session.ts'
import { RESERVED_PATHS } from './reserved-path.ts'

/** Compiles the authorization code flow. */
export function compileAuthorizationCode(
  spec: OIDCPluginSpec,
  problems: PolicyProblems,
): AuthorizationCodePolicy {
  checkLocations(spec, problems)
  checkUpstreamAction(spec, problems)
  // The authorization server's page posts the answer from another site, and only such cookies go along.
  const flowCookieSameSite = spec.responseMode === 'form_post' ? 'None' : spec.authorizationCookieSameSite
  return {
    ...(spec.redirectUri !== undefined && { redirectUri: spec.redirectUri }),
    flowCookieSameSite,
    flowCookieAlwaysSecure: compileSecure(spec, 'authorization', flowCookieSameSite, problems),
    flowTimeoutSeconds: spec.authorizationRollingTimeout,
    responseMode: spec.responseMode,
    requestArguments: requestArguments(spec),
    clientArguments: [...new Set(spec.authorizationQueryArgsClient)],
    action: spec.loginAction,
    ...(spec.loginRedirectUri !== undefined && { loginRedirectUri: spec.loginRedirectUri }),
    loginTokens: [...new Set(spec.loginTokens)],
    loginTokensIn: spec.loginRedirectMode,
    insecureSkipNonceCheck: spec.insecureSkipNonceCheck ?? false,
    insecureSkipProofKeyForCodeExchange: spec.insecureSkipProofKeyForCodeExchange ?? false,
  }
}

/** Compiles how people log out. */
export function compileLogout(spec: OIDCPluginSpec): LogoutPolicy {
  return {
    methods: [...new Set(spec.logoutMethods)],
    ...(spec.logoutQueryArg !== undefined && { queryArgument: spec.logoutQueryArg }),
    ...(spec.logoutPostArg !== undefined && { postArgument: spec.logoutPostArg }),
    ...(spec.logoutUriSuffix !== undefined && { pathSuffix: normalPath(spec.logoutUriSuffix) }),
    ...(spec.logoutRedirectUri !== undefined && { redirectUri: spec.logoutRedirectUri }),
    revokeAccessToken: spec.logoutRevoke && spec.logoutRevokeAccessToken,
    revokeRefreshToken: spec.logoutRevoke && spec.logoutRevokeRefreshToken,
    backchannel: spec.backchannelLogout ?? spec.sessionStorage === 'redis',
    frontchannel: spec.frontchannelLogout ?? false,
  }
}

/** The names and values are of one length: a rule of the schema. */
function requestArguments(spec: OIDCPluginSpec): (readonly [string, string])[] {
  const values = spec.authorizationQueryArgsValues ?? []
  return (spec.authorizationQueryArgsNames ?? []).map((name, index) => [name, values[index] ?? ''])
}

const LOCATIONS = [
  'redirectUri',
  'loginRedirectUri',
  'logoutRedirectUri',
  'unauthorizedRedirectUri',
  'forbiddenRedirectUri',
] as const

/** Browsers are sent to these. That they are absolute, without user and fragment, is a rule of the schema. */
function checkLocations(spec: OIDCPluginSpec, problems: PolicyProblems): void {
  for (const field of LOCATIONS) {
    const text = spec[field]
    if (text === undefined || URL.canParse(text)) continue
    problems.add(field, 'is no URL that a browser can go to', 'Give an absolute URL.')
  }
}

/** No route is ever reached on a reserved path, so that nothing could answer there. */
function checkUpstreamAction({ loginAction, redirectUri }: OIDCPluginSpec, problems: PolicyProblems): void {
  const url = redirectUri === undefined ? null : URL.parse(redirectUri)
  if (loginAction !== 'upstream' || url === null || !RESERVED_PATHS.includes(normalPath(url.pathname))) return
  problems.add(
    'redirectUri',
    'is a path that Ostiary answers itself, and loginAction upstream passes the callback on to a route',
    'Give a redirectUri below a path of your Ingress, or use loginAction redirect.',
  )
}
