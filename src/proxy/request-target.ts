import { normalPath } from '../table/normal-path.ts'

/** The readings of a target that was accepted. */
export interface RequestTarget {
  readonly ok: true
  /** Normal form of RFC 3986 §6.2.2: what routes are matched on. */
  readonly path: string
  /** Without `?`; empty where there is none. */
  readonly query: string
  /** The path holds `%2F`, which only some servers take for a separator: refuse unless the route allows it. */
  readonly encodedSlash: boolean
  /** The path holds `//`, which only some servers merge: refuse unless the route allows it. */
  readonly doubleSlash: boolean
}

/** A target, or why it is answered 400; the message never repeats the target. */
export type TargetReading = RequestTarget | { readonly ok: false; readonly message: string }

// Every segment starts with a character that is no dot, or with one dot and such a character: no dot segment, no
// `//`, no escape. Linear, because each turn of the group has to start at a slash and holds no other.
const PLAIN_TARGET =
  /^(?:\/\.?[A-Za-z0-9\-_~!$&'()*+,=:@][A-Za-z0-9\-._~!$&'()*+,;=:@]*)*\/?(?:\?[^\0- #\x7f]*)?$/
const CONTROL_OR_FRAGMENT = /[\0- #\x7f]/
const NOT_ASCII = /[^\0-\x7f]/
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/
const ENCODED_CONTROL = /%(?:[01][0-9A-Fa-f]|7[Ff])/
// `%C0%AE` and its longer kin: no UTF-8, yet lenient decoders take it for `.` or `/` (RFC 3629 §10).
const OVERLONG = /%(?:C[01]%[89AB]|E0%[89]|F0%8)/i
const ENCODED_SLASH = /%2f/i
const ESCAPE = /%([0-9A-Fa-f]{2})/g
// A segment that is `.` or `..`, also where it carries parameters (`..;x`), which Java servers cut off first.
const DOT_SEGMENT = /(?:^|[/\\])\.{1,2}(?:[/\\;]|$)/

/**
 * Reads an origin-form target (RFC 9112 §3.2.1). Refuses every path that two parties could read differently: dot
 * segments in up to two layers of encoding, backslashes, fragments, control characters, bad and overlong escapes; of
 * the query only control characters, spaces and `#`. `*` and authority-form are refused too. The original bytes are
 * what goes upstream; `path` is for matching only.
 */
export function readTarget(target: string): TargetReading {
  const question = target.indexOf('?')
  const rawPath = question === -1 ? target : target.slice(0, question)
  const query = question === -1 ? '' : target.slice(question + 1)
  if (target.charCodeAt(0) === 0x2f && PLAIN_TARGET.test(target)) {
    return { ok: true, path: rawPath, query, encodedSlash: false, doubleSlash: false }
  }
  const message = refusalOfTarget(rawPath, query)
  if (message !== undefined) return { ok: false, message }
  return {
    ok: true,
    path: normalPath(rawPath),
    query,
    encodedSlash: ENCODED_SLASH.test(rawPath),
    doubleSlash: rawPath.includes('//'),
  }
}

function refusalOfTarget(path: string, query: string): string | undefined {
  if (!path.startsWith('/')) return 'The request target is not a path.'
  if (CONTROL_OR_FRAGMENT.test(query)) return 'The query holds a control character, a space or "#".'
  return refusalOfCharacters(path) ?? refusalOfDotSegments(path)
}

function refusalOfCharacters(path: string): string | undefined {
  if (CONTROL_OR_FRAGMENT.test(path)) return 'The path holds a control character, a space or "#".'
  if (NOT_ASCII.test(path)) return 'The path holds a character that has to be percent-encoded.'
  if (path.includes('\\') || /%5c/i.test(path)) return 'The path holds a backslash.'
  if (BAD_ESCAPE.test(path)) return 'The path holds "%" without two hexadecimal digits.'
  if (ENCODED_CONTROL.test(path)) return 'The path holds an encoded control character.'
  if (OVERLONG.test(path)) return 'The path holds an overlong UTF-8 sequence.'
  return undefined
}

function refusalOfDotSegments(path: string): string | undefined {
  // Decoding takes no dot segment away, so that what is absent here was absent before.
  const decodedTwice = decodeEscapes(decodeEscapes(path))
  return DOT_SEGMENT.test(decodedTwice) ? 'The path holds a "." or ".." segment.' : undefined
}

function decodeEscapes(text: string): string {
  return text.includes('%')
    ? text.replace(ESCAPE, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    : text
}
