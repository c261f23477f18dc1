import type { ErrorCode } from 'yaml'

const MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_ALIAS: 'holds a bad alias; quote a value that begins with *',
  BAD_DQ_ESCAPE: 'holds an unknown escape in a double-quoted text; double the backslash or use single quotes',
  BAD_INDENT: 'is indented wrongly, or a bracket is not closed',
  BAD_SCALAR_START: 'holds a value that begins with a reserved character; quote it',
  BLOCK_AS_IMPLICIT_KEY: 'has two colons on one line; quote the value',
  DUPLICATE_KEY: 'names the same key twice; remove one of them',
  KEY_OVER_1024_CHARS: 'has a key that is far too long; a quote or a colon is probably missing',
  MISSING_CHAR: 'lacks a closing quote, a bracket, a comma or a colon',
  MULTILINE_IMPLICIT_KEY: 'has a key that goes over several lines; a colon is probably missing',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
  TAB_AS_INDENT: 'is indented by a tab; use spaces',
}

/**
 * What a YAML error says, in words of our own: the library's messages quote the source, and the line that failed to
 * parse may be the one that holds a password.
 */
export function yamlProblem(code: ErrorCode): string {
  return `is not valid YAML: this document ${MESSAGES[code] ?? `cannot be read (${code})`}`
}
