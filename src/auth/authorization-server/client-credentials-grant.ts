import { clientCredentialsGrant as openidClientCredentialsGrant } from 'openid-client'
import type { Answer, ClientCredentialsGrant, TokenSet } from './authorization-server-client.ts'
import { requestTokens } from './request-tokens.ts'
import type { ServerConnection } from './server-connection.ts'

/**
 * Asks for an access token in the client's own name (RFC 6749 §4.4). Scopes go as one `scope`, each audience as an
 * `audience` of its own; neither is sent empty. A refresh or ID token in the answer means nothing here and is dropped.
 */
export async function clientCredentialsGrant(
  connection: ServerConnection,
  grant: ClientCredentialsGrant,
): Promise<Answer<TokenSet>> {
  const answer = await requestTokens(connection, grant.client, (configuration) =>
    openidClientCredentialsGrant(configuration, parameters(grant)),
  )
  if (!answer.ok) return answer
  const { refreshToken: _refreshToken, idToken: _idToken, ...tokens } = answer.value
  return { ok: true, value: tokens }
}

function parameters(grant: ClientCredentialsGrant): URLSearchParams {
  const form = new URLSearchParams()
  if (grant.scopes.length > 0) form.set('scope', grant.scopes.join(' '))
  for (const audience of grant.audience) form.append('audience', audience)
  for (const [name, value] of grant.tokenArguments ?? []) form.append(name, value)
  return form
}
