import { OstiaryError } from '../../errors.ts'

/** The API server's answer to a request that it did not fulfil. */
export class ApiServerError extends OstiaryError {
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(status: number, message: string, retryAfterMs?: number) {
    super('ERR_SOURCE_UNAVAILABLE', message)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

/** The fields of metav1.Status that are read. */
interface Status {
  readonly code?: unknown
  readonly reason?: unknown
  readonly message?: unknown
  readonly details?: { readonly retryAfterSeconds?: unknown } | null
}

/**
 * Reads a metav1.Status. Its message is kept for 403 only, where it names the missing permission; elsewhere it may
 * quote the object that was sent.
 *
 * @param status The HTTP status; absent, the object's own code counts.
 * @param retryAfter The header of this name, in seconds (RFC 9110 §10.2.3); a date is not understood.
 */
export function toApiServerError(object: unknown, status?: number, retryAfter?: string): ApiServerError {
  const { code, reason, message, details } = (
    typeof object === 'object' && object !== null ? object : {}
  ) as Status
  const number = status ?? (typeof code === 'number' ? code : 500)
  const name = typeof reason === 'string' && /^[A-Za-z]{1,64}$/.test(reason) ? ` ${reason}` : ''
  const detail = number === 403 && typeof message === 'string' ? `: ${message.slice(0, 512)}` : ''
  const seconds = Number(retryAfter ?? details?.retryAfterSeconds)
  return new ApiServerError(
    number,
    `the API server answered ${number}${name}${detail}`,
    Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined,
  )
}
