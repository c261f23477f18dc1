/** Deeper than any protocol message; far below what overflows the stack when an answer is copied to a thread. */
const MAXIMUM_DEPTH = 32

/**
 * Parses JSON whose top level is an object. `undefined` for anything else, for syntax errors, and for objects and
 * arrays nested deeper than 32.
 */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (isTooDeep(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a parsed value is a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Counts brackets outside strings. Wrong on text that is no JSON, which parsing refuses anyway. */
function isTooDeep(text: string): boolean {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]
    if (inString) {
      if (character === '\\') index += 1
      else if (character === '"') inString = false
      continue
    }
    if (character === '"') inString = true
    else depth += nesting(character)
    if (depth > MAXIMUM_DEPTH) return true
  }
  return false
}

function nesting(character: string | undefined): -1 | 0 | 1 {
  if (character === '{' || character === '[') return 1
  return character === '}' || character === ']' ? -1 : 0
}
