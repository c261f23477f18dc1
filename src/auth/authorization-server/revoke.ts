import { tokenRevocation } from 'openid-client'
import type { Answer, RevocationRequest } from './authorization-server-client.ts'
import { clientAuthentication } from './client-authentication.ts'
import { openidConfiguration, transportAnswer } from './openid-configuration.ts'
import type { ServerConnection } from './server-connection.ts'
import { unavailable } from './unavailable.ts'

const TIMEOUT_MS = 2_000

/** Revokes a token (RFC 7009 §2.1). A token that the server does not know counts as revoked, as it has it. */
export async function revoke(
  connection: ServerConnection,
  { client, token, hint }: RevocationRequest,
): Promise<Answer<'revoked'>> {
  const authentication = clientAuthentication(client, connection.clock)
  if (typeof authentication !== 'function') return authentication
  const endpoint = await connection.endpoint('revocationEndpoint')
  if (!endpoint.ok) return endpoint
  const configuration = openidConfiguration(
    { issuer: connection.server.issuer, revocation_endpoint: endpoint.value.href },
    client.id,
    authentication,
    {
      outbound: connection.outbound,
      endpoint: 'revocation',
      repeatable: true,
      bodyIgnored: true,
      timeoutMs: TIMEOUT_MS,
      judge: ({ body }) => ({ ok: true, value: body }),
    },
  )
  try {
    await tokenRevocation(configuration, token, { token_type_hint: hint })
    return { ok: true, value: 'revoked' }
  } catch (error) {
    return transportAnswer(error) ?? unavailable(`revocation endpoint at ${endpoint.value.host} failed`)
  }
}
