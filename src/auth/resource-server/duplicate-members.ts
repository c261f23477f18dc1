const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/**
 * Whether an object in a JSON text has two members of one name. `JSON.parse` takes the last, other parsers the first:
 * a token that says two things may be checked by one and used by the other (RFC 7519 §4 allows to refuse it).
 *
 * Told from their number, which costs a fifth of keeping the names: of two alike `JSON.parse` keeps one.
 *
 * @param json What `JSON.parse` has accepted; other text gives any answer.
 * @param value What it gave.
 */
export function hasDuplicateMembers(json: string, value: unknown): boolean {
  return writtenMembers(json) !== keptMembers(value)
}

/** Every member has one colon outside of strings (RFC 8259 §4). */
function writtenMembers(json: string): number {
  let count = 0
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charCodeAt(at)
    if (character === COLON) count += 1
    else if (character === QUOTE) at = endOfString(json, at)
  }
  return count
}

/** The place of the closing quote. */
function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    const character = json.charCodeAt(at)
    if (character === QUOTE) return at
    if (character === BACKSLASH) at += 1
  }
  return json.length
}

/** Without recursion: a token can be nested deeper than the stack is. */
function keptMembers(value: unknown): number {
  let count = 0
  const open = [value]
  while (open.length > 0) {
    const each = open.pop()
    if (typeof each !== 'object' || each === null) continue
    const values: readonly unknown[] = Object.values(each)
    if (!Array.isArray(each)) count += values.length
    for (const inner of values) if (typeof inner === 'object') open.push(inner)
  }
  return count
}
