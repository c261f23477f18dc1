import type { Policy } from '../../table/policy.ts'
import type { CompiledConsumer, JudgingTable } from '../../table/routing-table.ts'
import { firstClaim, nameClaim, type ClaimSources } from '../claims.ts'

/** Whom a caller's claims name. */
export type ConsumerLookup =
  /** The policy maps no consumers, or does not insist. */
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly consumer: CompiledConsumer; readonly anonymous: boolean }
  | { readonly kind: 'missing' }
  /** The fallback consumer that the policy names does not exist. */
  | { readonly kind: 'anonymous_missing' }

type ConsumerIndex = Readonly<Record<'username' | 'customId', ReadonlyMap<string, CompiledConsumer>>>

const NONE: ConsumerLookup = { kind: 'none' }
const MISSING: ConsumerLookup = { kind: 'missing' }
// Consumer lists live as long as their table: an index goes with them.
const indexes = new WeakMap<readonly CompiledConsumer[], ConsumerIndex>()

/**
 * Finds the consumer that claims name: the first present of `consumerClaims` decides, compared exactly with the fields
 * of `consumerBy` in their order, among the consumers of the policy's own namespace.
 */
export function findConsumer(policy: Policy, table: JudgingTable, sources: ClaimSources): ConsumerLookup {
  const { claims, by, optional, anonymous } = policy.consumer
  if (claims.length === 0) return NONE
  const name = firstPresent(claims, sources)
  const index = indexOf(policy, table)
  for (const field of by) {
    const consumer = name === undefined ? undefined : index[field].get(name)
    if (consumer !== undefined) return { kind: 'found', consumer, anonymous: false }
  }
  if (anonymous !== undefined) return findAnonymous(policy, table)
  return optional ? NONE : MISSING
}

/** The policy's fallback consumer, by username. */
export function findAnonymous(policy: Policy, table: JudgingTable): ConsumerLookup {
  const consumer = indexOf(policy, table).username.get(policy.consumer.anonymous ?? '')
  return consumer === undefined ? { kind: 'anonymous_missing' } : { kind: 'found', consumer, anonymous: true }
}

/** A present claim that names nobody (an array, say) does not let the next one speak. */
function firstPresent(paths: readonly (readonly string[])[], sources: ClaimSources): string | undefined {
  for (const path of paths) {
    const value = firstClaim(sources, path)
    if (value !== undefined) return nameClaim(value)
  }
  return undefined
}

function indexOf({ namespace }: Policy, { consumers }: JudgingTable): ConsumerIndex {
  const list = Object.hasOwn(consumers, namespace) ? (consumers[namespace] ?? NOBODY) : NOBODY
  const known = indexes.get(list)
  if (known !== undefined) return known
  const index = { username: byField(list, 'username'), customId: byField(list, 'customId') }
  indexes.set(list, index)
  return index
}

const NOBODY: readonly CompiledConsumer[] = []

function byField(
  list: readonly CompiledConsumer[],
  field: 'username' | 'customId',
): ReadonlyMap<string, CompiledConsumer> {
  const map = new Map<string, CompiledConsumer>()
  for (const consumer of list) {
    const value = consumer[field]
    if (value !== undefined) map.set(value, consumer)
  }
  return map
}
