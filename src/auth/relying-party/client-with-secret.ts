import type { Policy } from '../../table/policy.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { ClientWithSecret } from '../authorization-server/authorization-server-client.ts'
import { clientWithSecret } from '../client-with-secret.ts'

/** The policy's client for the token endpoint; `undefined` where it has none or its secret is gone. */
export function tokenEndpointClient(policy: Policy, snapshot: AuthSnapshot): ClientWithSecret | undefined {
  return clientWithSecret(policy, snapshot, 'tokenEndpointAuthMethod')
}
