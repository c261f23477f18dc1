import { clientCredentialsGrant as openidClientCredentialsGrant } from 'openid-client'
import type { Answer, ClientCredentialsGrant, TokenSet } from './authorization-server-client.ts'
import { clientAuthentication } from './client-authentication.ts'
import { openidConfiguration, transportAnswer } from './openid-configuration.ts'
import type { ServerConnection } from './server-connection.ts'
import { readTokenAnswer } from './token-answer.ts'
import { unavailable } from './unavailable.ts'

/**
 * Asks for an access token in the client's own name (RFC 6749 §4.4). Scopes go as one `scope`, each audience as an
 * `audience` of its own; neither is sent empty. A refresh or ID token in the answer means nothing here and is dropped.
 */
export async function clientCredentialsGrant(
  connection: ServerConnection,
  grant: ClientCredentialsGrant,
): Promise<Answer<TokenSet>> {
  const authentication = clientAuthentication(grant.client, connection.clock)
  if (typeof authentication !== 'function') return authentication
  const endpoint = await connection.endpoint('tokenEndpoint')
  if (!endpoint.ok) return endpoint
  let tokens: TokenSet | undefined
  const configuration = openidConfiguration(
    { issuer: connection.server.issuer, token_endpoint: endpoint.value.href },
    grant.client.id,
    authentication,
    {
      outbound: connection.outbound,
      endpoint: 'token',
      repeatable: true,
      judge: ({ body }, url) => {
        const answer = readTokenAnswer(body, url.host)
        if (!answer.ok) return answer
        const { refreshToken: _refreshToken, idToken: _idToken, ...rest } = answer.value
        tokens = rest
        return { ok: true, value: { access_token: rest.accessToken, token_type: rest.tokenType } }
      },
    },
  )
  try {
    await openidClientCredentialsGrant(configuration, parameters(grant))
  } catch (error) {
    const answer = transportAnswer(error)
    if (answer) return answer
    tokens = undefined
  }
  return tokens ? { ok: true, value: tokens } : unavailable(`token endpoint at ${endpoint.value.host} failed`)
}

function parameters(grant: ClientCredentialsGrant): URLSearchParams {
  const form = new URLSearchParams()
  if (grant.scopes.length > 0) form.set('scope', grant.scopes.join(' '))
  for (const audience of grant.audience) form.append('audience', audience)
  for (const [name, value] of grant.tokenArguments ?? []) form.append(name, value)
  return form
}
