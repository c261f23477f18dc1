import type { Policy } from '../../table/policy.ts'
import { claimValues, firstClaim, isOverage, type ClaimSources } from '../claims.ts'
import type { ConsumerLookup } from './find-consumer.ts'

/** The groups that a route's allow and deny lists are compared with, and those that the caller's claims name. */
export interface CallerGroups {
  /** `undefined` where nobody says what groups the caller has. */
  readonly judged: ReadonlySet<string> | undefined
  /** From `authenticatedGroupsClaim`; empty where it names none. */
  readonly authenticated: readonly string[]
  /** The authorization server left the claim out because it is too long. */
  readonly isOverage: boolean
}

const NOBODY_SAYS: CallerGroups = { judged: undefined, authenticated: [], isOverage: false }

/**
 * The groups of a consumer, but where there is none, or only the anonymous one, those of `authenticatedGroupsClaim` if
 * the caller's claims have it (Kong's ACL plugin does the same).
 *
 * @param sources Claims of the credential; empty where there was none.
 */
export function callerGroups(policy: Policy, lookup: ConsumerLookup, sources: ClaimSources): CallerGroups {
  const own = lookup.kind === 'found' ? lookup.consumer.groups : undefined
  const { groupsClaim } = policy.consumer
  if (groupsClaim === undefined) return own === undefined ? NOBODY_SAYS : of(own)
  const value = firstClaim(sources, groupsClaim)
  const isConsumer = lookup.kind === 'found' && !lookup.anonymous
  if (value === undefined) {
    // The caller has groups, and may have a denied one: those of the anonymous consumer say nothing of it.
    if (!isConsumer && isOverage(sources, groupsClaim)) return { ...NOBODY_SAYS, isOverage: true }
    return own === undefined ? NOBODY_SAYS : of(own)
  }
  return {
    judged: isConsumer ? new Set(own) : claimValues(value),
    authenticated: listed(value),
    isOverage: false,
  }
}

function of(groups: readonly string[]): CallerGroups {
  return { judged: new Set(groups), authenticated: [], isOverage: false }
}

/** One name for each group: a string is words parted by spaces, and not also its own whole. */
function listed(value: unknown): readonly string[] {
  return typeof value === 'string' ? value.split(' ').filter((word) => word !== '') : [...claimValues(value)]
}
