// Raw in neither: a line break would start another header, and other bytes are read differently by every server.
// The percent sign is encoded too, so that no two claims give one header value.
const UNSAFE = /[^\x20-\x24\x26-\x7e]|^ +| +$/gu
const UNSAFE_IN_LIST = /[^\x20-\x24\x26-\x2b\x2d-\x7e]|^ +| +$/gu
// Nearly every value, and safe in a list too.
const PLAIN = /^[\x21-\x24\x26-\x2b\x2d-\x7e]*$/

/**
 * Text as a header value: printable ASCII as it is, anything else and `%` percent-encoded as UTF-8
 * (RFC 3986 §2.1), as are spaces at either end.
 */
export function headerText(text: string): string {
  return PLAIN.test(text) ? text : text.toWellFormed().replace(UNSAFE, encodeURIComponent)
}

/** Items joined by `, `; a comma inside an item is encoded, so that no name passes for two. */
export function headerList(items: readonly string[]): string {
  return items.map((item) => item.toWellFormed().replace(UNSAFE_IN_LIST, encodeURIComponent)).join(', ')
}

/**
 * A claim as a header value: text as `headerText`, numbers and booleans in digits and words, an array of strings as
 * `headerList`, everything else as JSON in ASCII.
 *
 * @returns `undefined` where there is nothing to say: no claim, or an empty array.
 */
export function claimText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return headerText(value)
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined
    if (value.every((item) => typeof item === 'string')) return headerList(value)
  }
  return JSON.stringify(value).replace(/[\x7f-\uffff]/g, escapeUnit)
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
