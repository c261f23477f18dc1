/** What is told to wait when the authorization server said nothing. */
export const DEFAULT_RETRY_AFTER_SECONDS = 5

const MAXIMUM_SECONDS = 600

/** Response headers as undici gives them: lower-case names. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Seconds to wait before asking again, from 1 to 600: `Retry-After` as seconds or date (RFC 9110 §10.2.3), else, on
 * 429, `X-Rate-Limit-Reset` in epoch seconds as Okta sends it (on every answer, so other statuses ignore it), else 5.
 *
 * @param nowMs Milliseconds since the epoch.
 */
export function retryAfterSeconds(status: number, headers: ResponseHeaders, nowMs: number): number {
  const seconds =
    fromRetryAfter(single(headers['retry-after']), nowMs) ??
    (status === 429 ? fromEpoch(single(headers['x-rate-limit-reset']), nowMs) : undefined)
  if (seconds === undefined) return DEFAULT_RETRY_AFTER_SECONDS
  return Math.min(Math.max(Math.ceil(seconds), 1), MAXIMUM_SECONDS)
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return (typeof value === 'string' ? value : value?.[0])?.trim()
}

function fromRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value)
  const dateMs = Date.parse(value)
  return Number.isNaN(dateMs) ? undefined : (dateMs - nowMs) / 1000
}

function fromEpoch(value: string | undefined, nowMs: number): number | undefined {
  return value !== undefined && /^\d{1,12}$/.test(value) ? Number(value) - nowMs / 1000 : undefined
}
