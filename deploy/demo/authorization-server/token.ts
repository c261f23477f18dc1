import { authenticateClient } from './client-authentication.ts'
import { oauthError, type Exchange, type Reply } from './exchange.ts'
import { OPENID_SCOPES, type ClientRegistration, type GrantType } from './registration.ts'
import type { ServerState } from './server-state.ts'

const GRANT_TYPES: readonly string[] = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
] satisfies readonly GrantType[]

/**
 * Refuses a token request as Okta does.
 *
 * @returns The refusal, or the form to hand to oidc-provider, which decides the rest.
 */
export function checkTokenRequest(state: ServerState, { request, form }: Exchange): Reply | URLSearchParams {
  const repeated = [...form.keys()].find((name) => form.getAll(name).length > 1)
  if (repeated !== undefined) return oauthError(400, 'invalid_request', 'A parameter is repeated.')
  const authentication = authenticateClient(state.registry, request, form)
  if (!authentication.ok) return authentication.reply
  const refusal = checkGrantType(authentication.client, form.get('grant_type'))
  if (refusal) return refusal
  const checked = new URLSearchParams(form)
  // Okta has no resource indicators: it ignores the parameter, oidc-provider would not.
  checked.delete('resource')
  if (checked.get('grant_type') !== 'client_credentials') return checked
  return checkClientCredentialsScope(state, authentication.client, checked)
}

/** Says a refused grant in Okta's words; oidc-provider's own are those of its log. */
export function describeInvalidGrant(grantType: string | undefined): string {
  return grantType === 'refresh_token'
    ? 'The refresh token is invalid or expired.'
    : 'The authorization code is invalid or has expired.'
}

function checkGrantType(client: ClientRegistration, grantType: string | null): Reply | undefined {
  if (!grantType) {
    return oauthError(400, 'invalid_request', "The token request must specify a 'grant_type'.")
  }
  if (!GRANT_TYPES.includes(grantType)) {
    return oauthError(
      400,
      'unsupported_grant_type',
      'The authorization grant type is not supported by the authorization server.',
    )
  }
  if (client.grantTypes.some((each) => each === grantType)) return undefined
  return oauthError(
    400,
    'unauthorized_client',
    `The client is not authorized to use the provided grant type. Configured grant types: [${client.grantTypes.join(', ')}].`,
  )
}

function checkClientCredentialsScope(
  state: ServerState,
  client: ClientRegistration,
  form: URLSearchParams,
): Reply | URLSearchParams {
  const asked = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '')
  const defaults = state.customScopes.filter((scope) => scope.default).map((scope) => scope.name)
  const scopes = asked.length > 0 ? asked : defaults
  const refusal = refuseScopes(state, client, scopes)
  if (refusal) return refusal
  form.set('scope', scopes.join(' '))
  return form
}

function refuseScopes(
  state: ServerState,
  client: ClientRegistration,
  scopes: readonly string[],
): Reply | undefined {
  if (scopes.length === 0) {
    return oauthError(
      400,
      'invalid_scope',
      "The authorization server resource does not have any configured default scopes, 'scope' must be provided.",
    )
  }
  if (scopes.some((scope) => OPENID_SCOPES.some((each) => each === scope))) {
    return oauthError(400, 'invalid_scope', "Cannot request 'openid' scopes using 'client_credentials'.")
  }
  if (!scopes.every((scope) => state.customScopes.some((each) => each.name === scope))) {
    return oauthError(400, 'invalid_scope', UNKNOWN_SCOPE)
  }
  if (client.scopes && !scopes.every((scope) => client.scopes?.includes(scope))) {
    return oauthError(400, 'access_denied', POLICY_REFUSED)
  }
  return undefined
}

export const UNKNOWN_SCOPE = 'One or more scopes are not configured for the authorization server resource.'
export const POLICY_REFUSED =
  'Policy evaluation failed for this request, please check the policy configurations.'
