/** Printable ASCII without quote and backslash: JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/
/** What JSON leaves as it is: DEL and C1, which steer terminals, marks that turn text around, and all beyond ASCII. */
const NOT_ASCII = /[\u007f-\uffff]/g

/**
 * A JSON string of ASCII alone: somebody else's words break no line and steer no terminal, whatever shows them, and a
 * line is as many bytes as characters.
 */
export function jsonText(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  return JSON.stringify(text).replaceAll(NOT_ASCII, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
