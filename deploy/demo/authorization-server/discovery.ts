import type { Reply } from './exchange.ts'
import { OPENID_SCOPES } from './registration.ts'
import { BASE_PATH, type ServerState } from './server-state.ts'

/** Addresses of the two discovery documents; the first metadata address has Okta's form, RFC 8414 §3.1. */
export const OPENID_CONFIGURATION_PATH = `${BASE_PATH}/.well-known/openid-configuration`
export const OAUTH_METADATA_PATHS: readonly string[] = [
  `/.well-known/oauth-authorization-server${BASE_PATH}`,
  `${BASE_PATH}/.well-known/oauth-authorization-server`,
]

const CLIENT_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none']

/** OpenID Connect discovery. Lists what Okta lists, less what this server does not do. */
export function openidConfiguration(state: ServerState): Reply {
  return discoveryReply({
    ...metadata(state),
    userinfo_endpoint: `${state.issuer}/v1/userinfo`,
    id_token_signing_alg_values_supported: ['RS256'],
  })
}

/** OAuth 2.0 authorization server metadata (RFC 8414). */
export function oauthMetadata(state: ServerState): Reply {
  return discoveryReply(metadata(state))
}

function discoveryReply(body: object): Reply {
  return { status: 200, headers: { 'Cache-Control': 'max-age=86400, must-revalidate' }, body }
}

function metadata(state: ServerState): object {
  const endpoints = `${state.issuer}/v1`
  return {
    issuer: state.faults.discoveryIssuer ?? state.issuer,
    authorization_endpoint: `${endpoints}/authorize`,
    token_endpoint: `${endpoints}/token`,
    jwks_uri: `${endpoints}/keys`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    subject_types_supported: ['public'],
    scopes_supported: [...state.customScopes.map((scope) => scope.name), ...OPENID_SCOPES],
    token_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
    claims_supported: ['ver', 'jti', 'iss', 'aud', 'iat', 'exp', 'cid', 'uid', 'scp', 'sub'],
    code_challenge_methods_supported: ['S256'],
    introspection_endpoint: `${endpoints}/introspect`,
    introspection_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
    revocation_endpoint: `${endpoints}/revoke`,
    revocation_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
    end_session_endpoint: `${endpoints}/logout`,
    request_parameter_supported: false,
    ...(state.authorizationResponseIss && { authorization_response_iss_parameter_supported: true }),
  }
}
