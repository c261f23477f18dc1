import type { ServerUnavailable } from './authorization-server-client.ts'
import { DEFAULT_RETRY_AFTER_SECONDS } from './retry-after.ts'

/**
 * The answer where there is none.
 *
 * @param reason For logs; names endpoint, host and failure, never a credential.
 */
export function unavailable(
  reason: string,
  retryAfterSeconds: number = DEFAULT_RETRY_AFTER_SECONDS,
): ServerUnavailable {
  return { ok: false, kind: 'unavailable', reason, retryAfterSeconds }
}
