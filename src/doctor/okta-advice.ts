import type { Policy } from '../table/policy.ts'
import type { Advice, OktaServer } from './advice.ts'
import { secretAdvice } from './generic-advice.ts'

/** Names of menus, tabs and buttons as Okta's Admin Console has them. */
export function oktaAdvice(policy: Policy, { id }: OktaServer): Advice {
  const servers = 'Security > API > Authorization Servers'
  const server = `${servers} > ${id ?? 'default'}`
  const app = `Applications > Applications > the app with Client ID ${policy.client?.id ?? 'of the caller'}`
  const org =
    id === undefined
      ? ' This issuer is the org authorization server, which has none of its own: use https://<domain>/oauth2/default.'
      : ''
  return {
    issuer:
      `Copy the Issuer URI from ${servers} into spec.issuer, character by character. Without API Access Management ` +
      'there is no custom authorization server.',
    keys: `Use a custom authorization server (${servers}; issuer https://<domain>/oauth2/default), or authMethods: [introspection].`,
    client: `Open ${app} > General > Client Credentials: the Client ID must be that of spec.clientId, ${authentication(policy)}. The app itself must be Active. ${secretAdvice(policy)}`,
    introspectionEndpoint: `Set spec.introspectionEndpoint to <issuer>/v1/introspect; Okta has it on every authorization server.`,
    authorizationEndpoint: `Set spec.authorizationEndpoint to <issuer>/v1/authorize; Okta has it on every authorization server.`,
    grantType: (grantType) =>
      grantType === 'authorization_code'
        ? `Open ${app} > General > General Settings > Edit: tick Grant type "Authorization Code". An app of type API Services cannot have it: create an "OIDC - Web Application".`
        : `Open ${app} > General > General Settings > Edit: tick Grant type "Client Credentials", or use an app of type API Services.`,
    scopes: (scopes) =>
      `Open ${server} > Scopes > Add Scope: ${scopes.join(', ')}, or take them out of spec.scopes. openid, profile, ` +
      `email, address, phone and offline_access exist already, but never for client credentials.${org}`,
    accessPolicy:
      `Open ${server} > Access Policies: a policy must be assigned to the client, and one of its rules must allow the ` +
      'grant type, the user and the scopes. A new org has no policy at all, and then nothing is issued. For logins, ' +
      `assign the user too: ${app} > Assignments.`,
    audience: `Make spec.audienceRequired equal to the Audience in ${server} > Settings ("api://default" at first).`,
    redirectUri: (uris) =>
      `Open ${app} > General > LOGIN > Sign-in redirect URIs, and add exactly ${uris.join(' or ')}`,
    claim: (name) =>
      `Open ${server} > Claims > Add Claim: Name ${name}, Include in token type Access Token, Value type Groups, Filter ` +
      `Matches regex .* (Okta fails above 100 groups: filter narrower). ${server} > Token Preview shows the result.${org}`,
  }
}

/** What the section Client Credentials has to say. */
function authentication({ client }: Policy): string {
  if (client?.key !== undefined) {
    return (
      '"Client authentication" set to Public key / Private key, and the public half of the key among the PUBLIC KEYS, ' +
      'Active and with the same kid'
    )
  }
  return client?.secret === undefined
    ? '"Client authentication" set to None'
    : '"Client authentication" set to Client secret, and the secret Active'
}
