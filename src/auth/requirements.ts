import type { Policy, Requirement } from '../table/policy.ts'
import { claimAt, claimValues, firstClaim, isOverage, type ClaimSources } from './claims.ts'
import type { Claims, RefusalReason } from './decision.ts'

/** The first `…Required` list that a caller's claims do not meet. */
export interface Shortfall {
  readonly reason: RefusalReason
  /** Where scopes are missing: those of the first alternative, as RFC 6750 §3 has them. */
  readonly scope?: string
}

/**
 * Judges `scopesRequired`, `audienceRequired`, `groupsRequired` and `rolesRequired`: any item of a list is enough, and
 * of an item every word is needed.
 *
 * @returns `undefined` where all are met.
 */
export function findShortfall(policy: Policy, sources: ClaimSources): Shortfall | undefined {
  const { scopes, audience, groups, roles } = policy.requirements
  if (scopes !== undefined && !isMet(scopes, scopeClaim(sources, scopes.claim))) {
    return { reason: 'insufficient_scope', scope: (scopes.anyOf[0] ?? []).join(' ') }
  }
  if (audience !== undefined && !isMet(audience, firstClaim(sources, audience.claim))) {
    return { reason: 'missing_audience' }
  }
  return (
    membershipShortfall(groups, 'missing_group', sources) ??
    membershipShortfall(roles, 'missing_role', sources)
  )
}

function membershipShortfall(
  requirement: Requirement | undefined,
  reason: RefusalReason,
  sources: ClaimSources,
): Shortfall | undefined {
  if (requirement === undefined) return undefined
  const value = firstClaim(sources, requirement.claim)
  if (isMet(requirement, value)) return undefined
  return { reason: value === undefined && isOverage(sources, requirement.claim) ? 'group_overage' : reason }
}

/** Okta's JWTs have `scp` where its introspection answers and everybody else have `scope`: one stands for the other. */
function scopeClaim(sources: ClaimSources, path: readonly string[]): unknown {
  const twin = twinOf(path)
  for (const claims of sources) {
    const value = claimAt(claims, path) ?? (twin === undefined ? undefined : claimAt(claims, [twin]))
    if (value !== undefined) return value
  }
  return undefined
}

function twinOf([name, ...nested]: readonly string[]): string | undefined {
  if (nested.length > 0) return undefined
  if (name === 'scope') return 'scp'
  return name === 'scp' ? 'scope' : undefined
}

function isMet(requirement: Requirement, value: unknown): boolean {
  if (value === undefined) return false
  const values = claimValues(value)
  return requirement.anyOf.some((words) => words.length > 0 && words.every((word) => values.has(word)))
}

/** Claims of an access token, with the token response's scope where the token itself names none. */
export function withScope(claims: Claims, scope: string | undefined): Claims {
  if (
    scope === undefined ||
    claimAt(claims, ['scope']) !== undefined ||
    claimAt(claims, ['scp']) !== undefined
  ) {
    return claims
  }
  return { ...claims, scope }
}
