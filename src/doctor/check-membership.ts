import { claimAt } from '../auth/claims.ts'
import type { Claims } from '../auth/decision.ts'
import type { DiscoveryDocument } from './check-discovery.ts'
import { ok, skipped, warning, type Finding } from './finding.ts'
import type { AdvisedSubject } from './subject.ts'

/**
 * Whether the claim that `groupsRequired` or `rolesRequired` is judged by is known at the server. It is about people,
 * and nobody signs in here, so where it is not listed nothing is proved.
 *
 * @param claims Of a token that was issued meanwhile.
 */
export function checkMembership(
  check: 'groups' | 'roles',
  { policy, advice }: AdvisedSubject,
  document: DiscoveryDocument,
  claims: Claims | undefined,
): Finding {
  const requirement = policy.requirements[check]
  const path = requirement?.claim
  const name = path?.[0]
  if (path === undefined || name === undefined) return skipped(check, 'the plugin asks for none')
  if (claims !== undefined && claimAt(claims, path) !== undefined) {
    return ok(check, `tokens have the claim ${path.join('.')}`)
  }
  if (document.claimsSupported?.includes(name) === true)
    return ok(check, `the server lists the claim ${name}`)
  const found = `the server does not list the claim ${name}; whether tokens have it shows a sign-in only`
  return warning(check, found, advice.claim(name))
}
