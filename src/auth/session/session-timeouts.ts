import type { SessionPolicy } from '../../table/policy.ts'
import type { Session } from './session.ts'

/** A use of the session is written down no more often than this, since it costs a Set-Cookie each time. */
const TOUCH_INTERVAL_SECONDS = 60

/**
 * Whether a session is over: its access token expired (nothing refreshes it yet), or one of the three timeouts
 * passed. A timeout of 0 is off.
 */
export function hasEnded(session: Session, policy: SessionPolicy, nowSeconds: number): boolean {
  const expiry = session.accessTokenExpiresAtSeconds
  if (expiry !== undefined && nowSeconds >= expiry) return true
  return (
    hasPassed(session.createdAtSeconds, policy.absoluteTimeoutSeconds, nowSeconds) ||
    hasPassed(session.renewedAtSeconds, policy.rollingTimeoutSeconds, nowSeconds) ||
    hasPassed(session.lastSeenAtSeconds, policy.idlingTimeoutSeconds, nowSeconds)
  )
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

function hasPassed(sinceSeconds: number, timeoutSeconds: number, nowSeconds: number): boolean {
  return timeoutSeconds > 0 && nowSeconds - sinceSeconds >= timeoutSeconds
}
