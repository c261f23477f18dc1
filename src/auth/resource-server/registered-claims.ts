import type { Policy } from '../../table/policy.ts'
import { claimAt, numericDate } from '../claims.ts'
import type { Claims, RefusalReason } from '../decision.ts'

/** An `iat` this far ahead is a broken clock or a forgery; less is ordinary skew. */
const MAXIMUM_AHEAD_SECONDS = 60

/** Whether `iss` is the policy's issuer, but for one trailing slash. */
export function namesIssuer(policy: Policy, claims: Claims): boolean {
  const issuer = claimAt(claims, ['iss'])
  return typeof issuer === 'string' && withoutSlash(issuer) === withoutSlash(policy.server.issuer)
}

/** Whether one of the accepted audiences is named; with none configured, any token does. */
export function namesAudience(policy: Policy, claims: Claims): boolean {
  const { audiences } = policy.verification
  if (audiences.length === 0) return true
  const value = claimAt(claims, ['aud'])
  const named: readonly unknown[] = Array.isArray(value) ? value : [value]
  return named.some((each) => typeof each === 'string' && audiences.includes(each))
}

/**
 * Judges `exp`, `nbf` and `iat` (RFC 7519 §4.1) with the policy's leeway.
 *
 * @param expiryNeeded A token without `exp` would be good for ever; answers of an introspection endpoint may lack it.
 * @returns Why the claims do not hold now, or `undefined`.
 */
export function timeProblem(
  policy: Policy,
  claims: Claims,
  nowSeconds: number,
  expiryNeeded: boolean,
): RefusalReason | undefined {
  const leeway = policy.verification.leewaySeconds
  const expiry = numericDate(claims, 'exp')
  if (expiry === undefined ? expiryNeeded : Number.isNaN(expiry)) return 'invalid_token'
  if (expiry !== undefined && nowSeconds >= expiry + leeway) return 'expired_token'
  const notBefore = numericDate(claims, 'nbf') ?? 0
  const issuedAt = numericDate(claims, 'iat') ?? 0
  // Comparisons with NaN are false, so these are written to be false for it.
  const started = notBefore <= nowSeconds + leeway && issuedAt <= nowSeconds + leeway + MAXIMUM_AHEAD_SECONDS
  return started ? undefined : 'invalid_token'
}

function withoutSlash(issuer: string): string {
  return issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
}
