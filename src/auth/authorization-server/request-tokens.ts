import type { Configuration } from 'openid-client'
import type { Answer, ClientWithSecret, TokenSet } from './authorization-server-client.ts'
import { clientAuthentication } from './client-authentication.ts'
import { openidConfiguration, transportAnswer } from './openid-configuration.ts'
import type { ServerConnection } from './server-connection.ts'
import { readTokenAnswer } from './token-answer.ts'
import { unavailable } from './unavailable.ts'

/**
 * Sends a grant to the token endpoint, once more where the connection broke, and gives what the answer holds (RFC 6749
 * §5). An ID token in it is not verified.
 *
 * @param send Makes openid-client send the grant.
 */
export async function requestTokens(
  connection: ServerConnection,
  client: ClientWithSecret,
  send: (configuration: Configuration) => Promise<unknown>,
): Promise<Answer<TokenSet>> {
  const authentication = clientAuthentication(client, connection.clock)
  if (typeof authentication !== 'function') return authentication
  const endpoint = await connection.endpoint('tokenEndpoint')
  if (!endpoint.ok) return endpoint
  let tokens: TokenSet | undefined
  const configuration = openidConfiguration(
    { issuer: connection.server.issuer, token_endpoint: endpoint.value.href },
    client.id,
    authentication,
    {
      outbound: connection.outbound,
      endpoint: 'token',
      repeatable: true,
      judge: ({ body }, url) => {
        const answer = readTokenAnswer(body, url.host)
        if (!answer.ok) return answer
        tokens = answer.value
        // openid-client would judge an ID token by rules of its own: it sees none.
        return { ok: true, value: { access_token: tokens.accessToken, token_type: tokens.tokenType } }
      },
    },
  )
  try {
    await send(configuration)
  } catch (error) {
    const answer = transportAnswer(error)
    if (answer) return answer
    tokens = undefined
  }
  return tokens ? { ok: true, value: tokens } : unavailable(`token endpoint at ${endpoint.value.host} failed`)
}
