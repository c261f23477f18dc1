import { nowSeconds, type Clock } from '../../clock.ts'
import type { Policy } from '../../table/policy.ts'
import { ASYMMETRIC_ALGORITHMS } from '../asymmetric-algorithms.ts'
import type { Refused, ServerUnavailable } from '../authorization-server/authorization-server-client.ts'
import { numericDate } from '../claims.ts'
import type { Claims } from '../decision.ts'
import type { KeyHint } from '../matching-keys.ts'
import { andThen, type MaybePromise } from '../maybe-promise.ts'
import type { UnverifiedJwt } from './jwt.ts'
import { rejected, serverRejection, type Judgement, type Rejected } from './judgement.ts'
import type { FoundKeys, KeyRing } from './key-ring.ts'
import {
  authenticationEndMs,
  authenticationProblem,
  namesAudience,
  namesIssuer,
  timeProblem,
} from './registered-claims.ts'
import { isSignedBy } from './signature.ts'
import { areAccessTokenClaims, isAccessTokenHeader } from './token-kind.ts'

const MAXIMUM_KEY_ID_LENGTH = 512

/**
 * Judges a JWT access token (RFC 7519 §7.2, RFC 9068 §4, RFC 8725): its kind, issuer, audience and times, then its
 * signature under a key of the policy's authorization server. Claims come first, so that nobody makes us fetch keys
 * with a token that could not pass anyway. At once where the key is known already.
 */
export function verifyJwt(
  policy: Policy,
  jwt: UnverifiedJwt,
  ring: KeyRing,
  clock: Clock,
): MaybePromise<Judgement> {
  const hint = keyHint(jwt.header)
  if (hint === undefined || !isAccessTokenHeader(jwt.header)) return rejected('invalid_token')
  const problem = claimsProblem(policy, jwt.claims, nowSeconds(clock))
  if (problem !== undefined) return problem
  const reusableUntilMs = expiryMs(policy, jwt.claims, clock.now())
  const accepted = { method: 'bearer', token: jwt.token, claims: jwt.claims, reusableUntilMs } as const
  if (policy.verification.insecureSkipSignatureCheck) return { ok: true, accepted }
  return andThen(verifySignature(jwt, hint, ring), (signed) =>
    signed.ok
      ? { ok: true, accepted: { ...accepted, keys: { ring, generation: signed.generation } } }
      : signed,
  )
}

/** A signature that one of the keys of this generation made. */
export interface Signed {
  readonly ok: true
  readonly generation: number
}

/** What becomes of a signature. */
export type SignatureVerdict = Signed | Rejected | ServerUnavailable

/** Verifies a signature under the keys of a ring, which are asked for anew where the key may be a new one. */
export function verifySignature(
  jwt: UnverifiedJwt,
  hint: KeyHint,
  ring: KeyRing,
): MaybePromise<SignatureVerdict> {
  return andThen(ring.find(hint), (found) => {
    const known = judgeSignature(jwt, found)
    const mayBeNew = !known.ok && known.kind === 'rejected' && hint.kid === undefined
    return mayBeNew ? andThen(ring.findNew(hint), (anew) => judgeSignature(jwt, anew)) : known
  })
}

function judgeSignature(
  jwt: UnverifiedJwt,
  found: FoundKeys | Refused | ServerUnavailable,
): SignatureVerdict {
  if ('ok' in found) return found.kind === 'refused' ? serverRejection(found) : found
  const { keys, generation } = found
  if (keys.length === 0) return rejected('unknown_key')
  if (keys.some((key) => isSignedBy(jwt, key))) return { ok: true, generation }
  return rejected('invalid_token', 'signature does not match')
}

/** Why a JWT's claims are not those of an access token for this policy now; signature aside. */
function claimsProblem(policy: Policy, claims: Claims, now: number): Rejected | undefined {
  if (!areAccessTokenClaims(claims)) return rejected('invalid_token', 'not a bearer access token')
  if (policy.verification.insecureSkipClaimsCheck) return undefined
  if (!namesIssuer(policy, claims)) return rejected('wrong_issuer')
  if (!namesAudience(policy, claims)) return rejected('wrong_audience')
  const reason = timeProblem(policy, claims, now, true) ?? authenticationProblem(policy, claims, now)
  return reason === undefined ? undefined : rejected(reason)
}

/** Which key a header asks for; `undefined` where its algorithm is not asymmetric, or its `kid` is no name. */
export function keyHint({ alg, kid }: UnverifiedJwt['header']): KeyHint | undefined {
  if (typeof alg !== 'string' || !ASYMMETRIC_ALGORITHMS.includes(alg)) return undefined
  if (kid === undefined) return { alg, kid }
  return typeof kid === 'string' && kid.length <= MAXIMUM_KEY_ID_LENGTH ? { alg, kid } : undefined
}

function expiryMs(policy: Policy, claims: Claims, nowMs: number): number {
  const expiry = numericDate(claims, 'exp')
  if (policy.verification.insecureSkipClaimsCheck || expiry === undefined || Number.isNaN(expiry)) {
    return nowMs + policy.cache.ttlSeconds * 1000
  }
  const expiryEndMs = (expiry + policy.verification.leewaySeconds) * 1000
  return Math.min(expiryEndMs, authenticationEndMs(policy, claims))
}
