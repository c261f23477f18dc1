import type { Policy } from '../table/policy.ts'
import type { VirtualHost } from '../table/routing-table.ts'
import type { AuthSnapshot } from './authorize.ts'

/**
 * The login policies of a host that a request to a reserved path is about: those that `plugin` names, as
 * `namespace/name` or by name alone, else all, in the host's order. Empty: it names none of them, or came twice.
 */
export function namedPolicies(
  snapshot: AuthSnapshot,
  host: VirtualHost,
  parameters: URLSearchParams,
): readonly Policy[] {
  const [name, ...others] = parameters.getAll('plugin')
  const all = hostPolicies(snapshot, host)
  if (name === undefined) return all
  if (others.length > 0) return []
  return all.filter(({ id }) => name === id || name === id.slice(id.indexOf('/') + 1))
}

/** The login policies of a host, in its order. */
export function hostPolicies({ table }: AuthSnapshot, { loginPolicies }: VirtualHost): readonly Policy[] {
  return loginPolicies.flatMap((id) => table.policies[id] ?? [])
}

/** The first policy of each realm: sessions of the others are the same ones. */
export function firstOfRealms(policies: readonly Policy[]): readonly Policy[] {
  return policies.filter(
    ({ session }, index) => policies.findIndex((other) => other.session.realm === session.realm) === index,
  )
}
