import type { AuthorizationServer, Policy } from '../../table/policy.ts'
import { claimAt, numericDate } from '../claims.ts'
import type { Claims, RefusalReason } from '../decision.ts'

/** An `iat` this far ahead is a broken clock or a forgery; less is ordinary skew. */
const MAXIMUM_AHEAD_SECONDS = 60

/** Whether `iss` is one of the issuers that the policy allows, else its server's, but for one trailing slash. */
export function namesIssuer({ server, verification }: Policy, claims: Claims): boolean {
  const issuer = claimAt(claims, ['iss'])
  if (typeof issuer !== 'string') return false
  const { issuers } = verification
  if (issuers.length === 0) return isIssuer(server, issuer)
  return issuers.some((each) => withoutSlash(issuer) === withoutSlash(each))
}

/** Whether this is the server's own issuer, but for one trailing slash: what ID tokens and logout tokens name. */
export function isIssuer(server: AuthorizationServer, issuer: unknown): boolean {
  return typeof issuer === 'string' && withoutSlash(issuer) === withoutSlash(server.issuer)
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

/**
 * Judges `auth_time` where there is one (OpenID Connect Core §2, RFC 9470 §5): tokens of clients have none.
 *
 * @returns Why the person's sign-in does not hold any more, or `undefined`.
 */
export function authenticationProblem(
  policy: Policy,
  claims: Claims,
  nowSeconds: number,
): RefusalReason | undefined {
  if (policy.verification.maximumAgeSeconds === undefined) return undefined
  if (Number.isNaN(numericDate(claims, 'auth_time'))) return 'invalid_token'
  return nowSeconds * 1000 > authenticationEndMs(policy, claims) ? 'authentication_too_old' : undefined
}

/** Until when the sign-in that claims tell of is recent enough; infinite where nobody asks, or nothing is told. */
export function authenticationEndMs({ verification }: Policy, claims: Claims): number {
  const { maximumAgeSeconds, leewaySeconds } = verification
  const authTime = numericDate(claims, 'auth_time')
  if (maximumAgeSeconds === undefined || authTime === undefined) return Number.POSITIVE_INFINITY
  return (authTime + maximumAgeSeconds + leewaySeconds) * 1000
}

function withoutSlash(issuer: string): string {
  return issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
}
