import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type CryptoKey,
  type JWTPayload,
} from 'jose'
import { ASYMMETRIC_ALGORITHMS } from '../asymmetric-algorithms.ts'
import type { Claims } from '../decision.ts'
import { matchingKeys } from '../matching-keys.ts'
import {
  KEY_WITHOUT_ID,
  type Answer,
  type KeySet,
  type Refused,
  type ServerMetadata,
} from './authorization-server-client.ts'
import { refusal } from './okta-error.ts'

/** What an ID token is judged by. */
export interface IdTokenChecks {
  readonly issuer: string
  readonly clientId: string
  /** What the server says it signs with; absent: any asymmetric algorithm. */
  readonly algorithms?: readonly string[]
  /** Absent: the nonce is not checked. */
  readonly nonce?: string
  /** Given: `auth_time` must be there, and no longer ago. */
  readonly maximumAgeSeconds?: number
  readonly leewaySeconds: number
  readonly nowMs: number
  readonly keys: (missingKeyId?: string) => Promise<Answer<KeySet>>
}

/** The algorithms that the server says it signs ID tokens with, as a check. */
export function algorithmsOf({ idTokenAlgorithms }: ServerMetadata): Pick<IdTokenChecks, 'algorithms'> {
  return idTokenAlgorithms === undefined ? {} : { algorithms: idTokenAlgorithms }
}

/**
 * Verifies an ID token of a token endpoint's answer (OpenID Connect Core §3.1.3.7): signature, `iss`, `aud` with
 * `azp`, `exp`, `nbf`, `nonce`, and the presence of `sub` and `iat`. With
 * `maximumAgeSeconds` also `auth_time`. Not checked: `at_hash`, `acr`.
 */
export async function verifyIdToken(idToken: string, checks: IdTokenChecks): Promise<Answer<Claims>> {
  try {
    const { alg = '', kid } = decodeProtectedHeader(idToken)
    // One that names no key, and that no key fits, may be signed with a key that is new.
    for (const missing of kid === undefined ? [undefined, KEY_WITHOUT_ID] : [kid]) {
      const set = await checks.keys(missing)
      if (!set.ok) return set
      for (const key of await matchingKeys(createLocalJWKSet({ keys: [...set.value.keys] }), { alg, kid })) {
        const judged = await verifyWith(key, idToken, checks)
        if (judged !== 'wrong key') return judged
      }
    }
    return invalid('no key of the issuer made its signature')
  } catch (error) {
    return invalid(faultOf(error))
  }
}

async function verifyWith(
  key: CryptoKey,
  idToken: string,
  checks: IdTokenChecks,
): Promise<Answer<Claims> | 'wrong key'> {
  try {
    const { payload } = await jwtVerify(idToken, key, {
      issuer: issuersOf(checks),
      audience: checks.clientId,
      algorithms: ASYMMETRIC_ALGORITHMS.filter((each) => checks.algorithms?.includes(each) ?? true),
      clockTolerance: checks.leewaySeconds,
      currentDate: new Date(checks.nowMs),
      requiredClaims: ['sub', 'iat', 'exp'],
    })
    const fault = claimFault(payload, checks)
    return fault === undefined ? { ok: true, value: payload } : invalid(fault)
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'wrong key'
    throw error
  }
}

/** OpenID Connect Core §15.6.2: Google leaves out the scheme in some. */
function issuersOf({ issuer }: IdTokenChecks): string[] {
  return issuer === 'https://accounts.google.com' ? [issuer, 'accounts.google.com'] : [issuer]
}

function claimFault(payload: JWTPayload, checks: IdTokenChecks): string | undefined {
  if (typeof payload.sub !== 'string' || payload.sub === '') return 'sub is no string'
  if (checks.nonce !== undefined && payload['nonce'] !== checks.nonce) return 'nonce differs'
  if (isTooOld(payload['auth_time'], checks)) return 'auth_time is missing or too long ago'
  const { azp } = payload
  if (azp !== undefined && azp !== checks.clientId) return 'azp is another client'
  const shared = Array.isArray(payload.aud) && payload.aud.length > 1
  return shared && azp === undefined ? 'aud names other clients and azp is missing' : undefined
}

function isTooOld(authTime: unknown, { maximumAgeSeconds, leewaySeconds, nowMs }: IdTokenChecks): boolean {
  if (maximumAgeSeconds === undefined) return false
  return typeof authTime !== 'number' || nowMs / 1000 > authTime + maximumAgeSeconds + leewaySeconds
}

/** Codes and claim names only: messages may quote what the token says. */
function faultOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'exp is past'
  if (error instanceof errors.JWTClaimValidationFailed) return `${error.claim} ${error.reason}`
  // jose has no code of its own for keys that it finds too weak, such as RSA keys of 1,024 bits.
  if (error instanceof TypeError) return 'is no JWT, or its key is too weak'
  return error instanceof errors.JOSEError ? error.code : 'is no JWT'
}

function invalid(fault: string): Refused {
  return refusal('invalid_id_token', `ID token: ${fault}`, [])
}
