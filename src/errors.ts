/**
 * Every error that Ostiary raises about the world (input, network, peers) has one of these stable codes.
 * A programmer's mistake is a `TypeError` or a plain `Error` instead.
 */
export type ErrorCode =
  | 'ERR_SETTINGS_INVALID'
  | 'ERR_MANIFEST_SYNTAX'
  | 'ERR_MANIFEST_INVALID'
  | 'ERR_SOURCE_UNAVAILABLE'
  | 'ERR_LISTEN'
  | 'ERR_SESSION_KEY_INVALID'
  | 'ERR_BROKER_CLOSED'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_BODY_STALLED'

/**
 * An error with a stable code. The message names place, reason and remedy, and never holds a token, secret or
 * cookie: what was expected and what was found goes into `cause`.
 */
export class OstiaryError extends Error {
  override readonly name = 'OstiaryError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The message of anything that can be thrown; never the stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
