import type { Policy } from '../table/policy.ts'
import { nameClaim, numericDate } from './claims.ts'
import { NO_TRACE } from './credential.ts'
import type { Credential } from './judge.ts'
import { withScope } from './requirements.ts'
import type { Session } from './session/session.ts'

/** What a session says of who is asking: claims of the access token first, then those of the ID token. */
export function credentialOf(session: Session): Credential {
  const subject = nameClaim(session.idTokenClaims['sub'])
  return {
    method: 'session',
    accessToken: session.accessToken,
    sources: [withScope(session.accessTokenClaims, session.scope), session.idTokenClaims],
    ...(session.idToken !== undefined && { idToken: session.idToken }),
    ...(subject !== undefined && { idTokenSubject: subject }),
    trace: NO_TRACE,
  }
}

/** The session store has judged this already; a session must not outlive its token whoever kept it. */
export function hasExpired({ accessTokenExpiresAtSeconds }: Session, nowSeconds: number): boolean {
  return accessTokenExpiresAtSeconds !== undefined && nowSeconds >= accessTokenExpiresAtSeconds
}

/**
 * Whether the person signed in longer ago than the policy's `maxAge`. A session that does not say when, as one that
 * another policy of the realm began may not, is too old: its next login is asked to say it.
 */
export function isSignInTooOld({ verification }: Policy, session: Session, nowSeconds: number): boolean {
  const { maximumAgeSeconds, leewaySeconds } = verification
  if (maximumAgeSeconds === undefined) return false
  const signedInAt = numericDate(session.idTokenClaims, 'auth_time') ?? Number.NaN
  // Written to be true for NaN.
  return !(nowSeconds <= signedInAt + maximumAgeSeconds + leewaySeconds)
}
