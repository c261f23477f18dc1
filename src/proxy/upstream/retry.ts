import type { ForwardingSettings, RetryCondition } from '../../table/upstream-settings.ts'

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** Without a word from anybody: another endpoint may take what never went out. */
const OTHER_ENDPOINTS: NonNullable<ForwardingSettings['retries']> = { attempts: 2, on: ['connect-failure'] }

/** Before the same endpoint is asked again; doubled each time. */
const FIRST_BACK_OFF_MS = 25

/** A request that has failed, or was answered badly. */
export interface FailedAttempt {
  readonly condition: RetryCondition
  readonly method: string
  /** No byte of its body was handed on; also where it has none. */
  readonly bodyUntouched: boolean
  /** Retries so far. */
  readonly retries: number
  /** Endpoints that there are. */
  readonly endpoints: number
}

/**
 * Whether a request may be sent once more, as far as it alone decides. A body that has been begun is never sent again:
 * nothing of it is kept. What may have been worked on is repeated only where its method allows it.
 */
export function maySendAgain(attempt: FailedAttempt, settings: ForwardingSettings['retries']): boolean {
  const { attempts, on } = settings ?? OTHER_ENDPOINTS
  if (attempt.retries >= attempts || !on.includes(attempt.condition) || !attempt.bodyUntouched) return false
  if (settings === undefined && attempt.endpoints < 2) return false
  return attempt.condition === 'connect-failure' || IDEMPOTENT.has(attempt.method)
}

/** How long to wait before the endpoint that has just failed is asked again, as there is no other. */
export function backOffMs(retries: number): number {
  return FIRST_BACK_OFF_MS * 2 ** retries
}

/** Whether a method may be sent twice. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method)
}

/** The condition that a status is, if it is one. */
export function conditionOfStatus(status: number): RetryCondition | undefined {
  switch (status) {
    case 502:
      return '502'
    case 503:
      return '503'
    case 504:
      return '504'
    default:
      return undefined
  }
}
