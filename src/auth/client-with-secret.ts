import type { ClientAuthMethod, Policy } from '../table/policy.ts'
import type { SecretId } from '../table/secret-table.ts'
import type { ClientWithSecret } from './authorization-server/authorization-server-client.ts'
import type { AuthSnapshot } from './authorize.ts'

/**
 * The policy's own client as it authenticates by a method, with the secret or key that the method needs and no other.
 *
 * @returns `undefined` where the policy has no client, or what the method needs is gone.
 */
export function clientWithSecret(
  { client }: Policy,
  snapshot: AuthSnapshot,
  method: 'tokenEndpointAuthMethod' | 'introspectionEndpointAuthMethod',
): ClientWithSecret | undefined {
  if (client === undefined) return undefined
  const authMethod = client[method]
  const { id, assertionAudience } = client
  const known = { id, authMethod, ...(assertionAudience !== undefined && { assertionAudience }) }
  if (authMethod === 'none') return known
  const value = revealed(snapshot, neededSecret(client, authMethod))
  if (value === undefined) return undefined
  return authMethod === 'private_key_jwt' ? { ...known, privateKey: value } : { ...known, secret: value }
}

function neededSecret(
  { key, secret }: NonNullable<Policy['client']>,
  method: ClientAuthMethod,
): SecretId | undefined {
  return method === 'private_key_jwt' ? key : secret
}

function revealed(snapshot: AuthSnapshot, id: SecretId | undefined): string | undefined {
  return id === undefined ? undefined : snapshot.secret(id)
}
