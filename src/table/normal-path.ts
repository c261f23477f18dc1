const PLAIN_PATH = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/]*$/
const PATH_CHARACTER = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]$/
const ESCAPE_OR_FOREIGN = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/gu

/**
 * The form of RFC 3986 §6.2.2 that paths are matched in: escapes of characters that a segment may hold raw decoded,
 * other escapes in upper case, and every character that a path may not hold raw (`%` without two digits too) escaped
 * as UTF-8. For request paths and manifests alike, so that both sides compare equal. Idempotent. Dot segments are left
 * as they are: callers refuse them.
 *
 * Sub-delimiters, `:` and `@` are decoded too, although RFC 3986 §2.2 would let the two spellings differ: servers
 * decode them before they look, so that `/v1/x%3Acancel` must not pass a guard on `/v1/x:cancel`.
 */
export function normalPath(path: string): string {
  return PLAIN_PATH.test(path) ? path : path.toWellFormed().replace(ESCAPE_OR_FOREIGN, normalCharacter)
}

function normalCharacter(match: string): string {
  if (match.length !== 3 || match[0] !== '%') return encodeURIComponent(match)
  const character = String.fromCharCode(Number.parseInt(match.slice(1), 16))
  return PATH_CHARACTER.test(character) ? character : match.toUpperCase()
}
