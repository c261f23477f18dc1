import { tokenIntrospection } from 'openid-client'
import type { Answer, Introspection, IntrospectionRequest } from './authorization-server-client.ts'
import { clientAuthentication } from './client-authentication.ts'
import { openidConfiguration, transportAnswer } from './openid-configuration.ts'
import type { ServerConnection } from './server-connection.ts'
import { unavailable } from './unavailable.ts'

/**
 * Asks whether a token is active (RFC 7662 §2.1). The answer's `active` must be a boolean; its other members are
 * given as they came.
 */
export async function introspect(
  connection: ServerConnection,
  request: IntrospectionRequest,
): Promise<Answer<Introspection>> {
  const authentication = clientAuthentication(request.client, connection.clock)
  if (typeof authentication !== 'function') return authentication
  const endpoint = await connection.endpoint('introspectionEndpoint')
  if (!endpoint.ok) return endpoint
  const configuration = openidConfiguration(
    { issuer: connection.server.issuer, introspection_endpoint: endpoint.value.href },
    request.client.id,
    authentication,
    {
      outbound: connection.outbound,
      endpoint: 'introspection',
      repeatable: true,
      judge: ({ body }, url) =>
        typeof body['active'] === 'boolean'
          ? { ok: true, value: body }
          : unavailable(`introspection endpoint at ${url.host} answered without a boolean active`),
    },
  )
  try {
    const hint = request.hint === '' ? {} : { token_type_hint: request.hint }
    const { active, ...claims } = await tokenIntrospection(configuration, request.token, hint)
    return { ok: true, value: { active, claims } }
  } catch (error) {
    return transportAnswer(error) ?? unavailable(`introspection endpoint at ${endpoint.value.host} failed`)
  }
}
