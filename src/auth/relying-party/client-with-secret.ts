import type { Policy } from '../../table/policy.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { ClientWithSecret } from '../authorization-server/authorization-server-client.ts'

/** The policy's client for the token endpoint; `undefined` where it has none or its secret is gone. */
export function tokenEndpointClient(policy: Policy, snapshot: AuthSnapshot): ClientWithSecret | undefined {
  const { client } = policy
  if (client === undefined) return undefined
  const authMethod = client.tokenEndpointAuthMethod
  if (client.secret === undefined) return { id: client.id, authMethod }
  const secret = snapshot.secret(client.secret)
  return secret === undefined ? undefined : { id: client.id, secret, authMethod }
}
