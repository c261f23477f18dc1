import type { SessionPolicy } from '../../table/policy.ts'
import type { Session } from './session.ts'

/** A use of the session is written down no more often than this, since it costs a Set-Cookie each time. */
const TOUCH_INTERVAL_SECONDS = 60
const MAXIMUM_REMAINING_SECONDS = 400 * 86_400

/**
 * Whether a session is over: its access token expired or its claims are too old and it holds nothing to refresh them
 * with, or one of the three timeouts passed. A timeout of 0 is off.
 */
export function hasEnded(session: Session, policy: SessionPolicy, nowSeconds: number): boolean {
  const isStale = hasExpired(session, nowSeconds) || hasOldClaims(session, policy, nowSeconds)
  if (isStale && !isRefreshable(session, policy)) return true
  return (
    hasPassed(session.createdAtSeconds, policy.absoluteTimeoutSeconds, nowSeconds) ||
    hasPassed(session.renewedAtSeconds, policy.rollingTimeoutSeconds, nowSeconds) ||
    hasPassed(session.lastSeenAtSeconds, policy.idlingTimeoutSeconds, nowSeconds)
  )
}

/** Which of its timeouts ended a session, as fields of plugins name them; for the audit. */
export function endedBy(session: Session, policy: SessionPolicy, nowSeconds: number): string {
  if (hasPassed(session.createdAtSeconds, policy.absoluteTimeoutSeconds, nowSeconds))
    return 'absolute_timeout'
  if (hasPassed(session.renewedAtSeconds, policy.rollingTimeoutSeconds, nowSeconds)) return 'rolling_timeout'
  if (hasPassed(session.lastSeenAtSeconds, policy.idlingTimeoutSeconds, nowSeconds)) return 'idling_timeout'
  return 'expired_token'
}

/**
 * Whether a session is over whatever became of its cookies since: what is known where the browser may have newer ones
 * after a use or a refresh.
 */
export function hasSurelyEnded(session: Session, policy: SessionPolicy, nowSeconds: number): boolean {
  const asIfUsedNow = { ...session, renewedAtSeconds: nowSeconds, lastSeenAtSeconds: nowSeconds }
  return hasEnded(asIfUsedNow, policy, nowSeconds)
}

/** Whether the access token has expired: nothing may pass on it, also while it cannot be refreshed. */
export function hasExpired({ accessTokenExpiresAtSeconds }: Session, nowSeconds: number): boolean {
  return accessTokenExpiresAtSeconds !== undefined && nowSeconds >= accessTokenExpiresAtSeconds
}

/**
 * Whether it is time to refresh: the access token expires within the leeway, or within half its life where that is
 * shorter, or the claims are too old. Never without a refresh token.
 */
export function isRefreshDue(session: Session, policy: SessionPolicy, nowSeconds: number): boolean {
  if (!isRefreshable(session, policy)) return false
  const { accessTokenExpiresAtSeconds: expiry, tokensIssuedAtSeconds: issued } = session
  if (expiry !== undefined) {
    const leeway = Math.min(policy.refreshLeewaySeconds, Math.floor((expiry - issued) / 2))
    if (nowSeconds >= expiry - leeway) return true
  }
  return hasOldClaims(session, policy, nowSeconds)
}

/**
 * Seconds until a session that is not used any more has surely ended, for the store to forget it; at least 1.
 * Sessions without any limit are forgotten after 400 days, as browsers do with cookies (RFC 6265bis §5.5).
 */
export function remainingSeconds(session: Session, policy: SessionPolicy, nowSeconds: number): number {
  const ends = [
    endOf(session.createdAtSeconds, policy.absoluteTimeoutSeconds),
    endOf(session.renewedAtSeconds, policy.rollingTimeoutSeconds),
    endOf(session.lastSeenAtSeconds, policy.idlingTimeoutSeconds),
  ]
  if (!isRefreshable(session, policy)) {
    ends.push(session.accessTokenExpiresAtSeconds ?? Number.POSITIVE_INFINITY)
  }
  const remaining = Math.min(...ends, nowSeconds + MAXIMUM_REMAINING_SECONDS) - nowSeconds
  return Math.max(1, Math.ceil(remaining))
}

/** Seconds until a session has surely ended however it is used; at least 1. */
export function longestSeconds(session: Session, policy: SessionPolicy, nowSeconds: number): number {
  const end = endOf(session.createdAtSeconds, policy.absoluteTimeoutSeconds)
  return Math.max(1, Math.min(end - nowSeconds, MAXIMUM_REMAINING_SECONDS))
}

/**
 * The session as it is to be kept after a request now, or `undefined` where nothing need be written: it is renewed
 * in the last quarter of its rolling timeout, and its use is noted every minute, or every quarter of a shorter idling
 * timeout. So an idling session may end up to that much early, never late.
 */
export function afterUse(session: Session, policy: SessionPolicy, nowSeconds: number): Session | undefined {
  const renew = hasPassed(session.renewedAtSeconds, (policy.rollingTimeoutSeconds * 3) / 4, nowSeconds)
  const touch =
    policy.idlingTimeoutSeconds > 0 && nowSeconds - session.lastSeenAtSeconds >= touchIntervalSeconds(policy)
  if (!renew && !touch) return undefined
  return {
    ...session,
    renewedAtSeconds: renew ? nowSeconds : session.renewedAtSeconds,
    lastSeenAtSeconds: nowSeconds,
  }
}

/** How long one written use of a session stands for later ones. */
export function touchIntervalSeconds(policy: SessionPolicy): number {
  if (policy.idlingTimeoutSeconds === 0) return TOUCH_INTERVAL_SECONDS
  return Math.max(1, Math.min(TOUCH_INTERVAL_SECONDS, Math.floor(policy.idlingTimeoutSeconds / 4)))
}

function isRefreshable({ refreshToken }: Session, policy: SessionPolicy): boolean {
  return policy.refreshTokens && refreshToken !== undefined
}

function hasOldClaims(
  { tokensIssuedAtSeconds }: Session,
  policy: SessionPolicy,
  nowSeconds: number,
): boolean {
  return hasPassed(tokensIssuedAtSeconds, policy.claimsMaximumAgeSeconds, nowSeconds)
}

function endOf(sinceSeconds: number, timeoutSeconds: number): number {
  return timeoutSeconds > 0 ? sinceSeconds + timeoutSeconds : Number.POSITIVE_INFINITY
}

function hasPassed(sinceSeconds: number, timeoutSeconds: number, nowSeconds: number): boolean {
  return timeoutSeconds > 0 && nowSeconds - sinceSeconds >= timeoutSeconds
}
