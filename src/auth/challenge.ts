/** The error codes of RFC 6750 §3.1 and RFC 9470 §3. */
export type BearerError =
  'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication'

const DESCRIPTIONS: Readonly<Record<BearerError, string>> = {
  invalid_request: 'The request carries more than one access token',
  invalid_token: 'The access token is missing, malformed, expired, revoked or not meant for this resource',
  insufficient_user_authentication: 'The request needs a more recent sign-in than the access token tells of',
  insufficient_scope: 'The request needs higher privileges than the access token provides',
}

/** What a challenge asks of the next token. */
export interface ChallengeDetails {
  /** Left out where it holds what no scope may (RFC 6749 §3.3), since it stands in quotes. */
  readonly scope?: string
  /** Greatest age of the sign-in in seconds (RFC 9470 §3). */
  readonly maximumAgeSeconds?: number
}

/**
 * The value of a Bearer challenge (RFC 6750 §3). Without `error` for a request that carried no credential.
 */
export function bearerChallenge(host: string, error?: BearerError, details: ChallengeDetails = {}): string {
  const { scope, maximumAgeSeconds } = details
  const parts = [`Bearer realm="${quotable(host)}"`]
  if (error !== undefined) parts.push(`error="${error}"`, `error_description="${DESCRIPTIONS[error]}"`)
  if (scope !== undefined && /^[\x21\x23-\x5b\x5d-\x7e ]+$/.test(scope)) parts.push(`scope="${scope}"`)
  if (maximumAgeSeconds !== undefined) parts.push(`max_age="${maximumAgeSeconds}"`)
  return parts.join(', ')
}

/** The value of a Basic challenge (RFC 7617 §2): client id and secret are taken here. */
export function basicChallenge(host: string): string {
  return `Basic realm="${quotable(host)}", charset="UTF-8"`
}

/** The host as it may stand in a quoted string; routes without a host take any that a client sends. */
function quotable(host: string): string {
  return host.replace(/[^A-Za-z0-9.:[\]_*-]/g, '')
}
