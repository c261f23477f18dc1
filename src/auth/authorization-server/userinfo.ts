import type { Answer } from './authorization-server-client.ts'
import type { Claims } from '../decision.ts'
import type { ServerConnection } from './server-connection.ts'
import { unavailable } from './unavailable.ts'

/** 401: the token is not good; 403: it is, but not for this, as one that was issued to no person. */
const REFUSED_BY: readonly number[] = [401, 403]

/**
 * Asks who an access token stands for (OpenID Connect Core §5.3). The answer must be a JSON object with a `sub`; whose
 * it is, is the caller's to compare (§5.3.2).
 */
export async function userInfo(connection: ServerConnection, accessToken: string): Promise<Answer<Claims>> {
  const endpoint = await connection.endpoint('userinfoEndpoint')
  if (!endpoint.ok) return endpoint
  const answer = await connection.outbound.call({
    endpoint: 'userinfo',
    url: endpoint.value,
    headers: { authorization: `Bearer ${accessToken}` },
    refusedBy: REFUSED_BY,
    repeatable: true,
  })
  if (!answer.ok) return answer
  const { body } = answer.value
  if (typeof body['sub'] === 'string' && body['sub'] !== '') return { ok: true, value: body }
  return unavailable(`userinfo endpoint at ${endpoint.value.host} answered without sub`)
}
