/** No script but our own files runs, nothing is loaded from elsewhere, and nobody frames a page. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** What every answer of the dashboard carries. */
export const RESPONSE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
}

/** For pages with a form: with `no-referrer` browsers would send `Origin: null`, which proves nothing. */
export const FORM_REFERRER_POLICY = 'same-origin'

/** Of files whose address changes with what is in them. */
export const IMMUTABLE = 'public, max-age=31536000, immutable'
