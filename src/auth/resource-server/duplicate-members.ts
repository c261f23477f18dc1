/**
 * Whether an object in a JSON text has two members of one name. `JSON.parse` takes the last, other parsers the first:
 * a token that says two things may be checked by one and used by the other (RFC 7519 §4 allows to refuse it).
 *
 * @param json What `JSON.parse` has accepted; other text gives any answer.
 */
export function hasDuplicateMembers(json: string): boolean {
  // One entry per open bracket: the names seen in an object, or `undefined` for an array.
  const open: (Set<string> | undefined)[] = []
  let nameExpected = false
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') {
      const end = endOfString(json, at)
      if (nameExpected && !isNew(open.at(-1), json.slice(at, end))) return true
      nameExpected = false
      at = end - 1
    } else if (character === '{') {
      open.push(new Set())
      nameExpected = true
    } else if (character === '[') open.push(undefined)
    else if (character === '}' || character === ']') {
      open.pop()
      nameExpected = false
    } else if (character === ',') nameExpected = open.at(-1) !== undefined
  }
  return false
}

/** Names are compared as parsed: `"iss"` and `"\u0069ss"` are one. */
function isNew(names: Set<string> | undefined, literal: string): boolean {
  if (names === undefined) return true
  const name = String(JSON.parse(literal))
  if (names.has(name)) return false
  names.add(name)
  return true
}

function endOfString(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}
