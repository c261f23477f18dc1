import { METHODS, type IncomingHttpHeaders } from 'node:http'

/** The header section of a request in the terms of HTTP/1.1. */
export interface RequestHead {
  readonly ok: true
  readonly method: string
  /** As sent. */
  readonly target: string
  /** Names and values in turn, in lower case: Host first, Cookie as one field, no pseudo-headers. */
  readonly rawHeaders: string[]
  readonly headers: IncomingHttpHeaders
}

/** Why a header section is refused; the message repeats nothing of it. */
export interface RefusedHead {
  readonly ok: false
  readonly status: 400 | 405 | 417 | 431 | 501
  /** A stable word. */
  readonly reason: string
  readonly message: string
}

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS)
/** A colon. */
const PSEUDO = 0x3a
const CONTINUE = /^100-continue$/i

/** What stands before the fields: nghttp2 has seen to it that none is there twice, or is missing. */
interface PseudoHeaders {
  authority: string | undefined
  method: string
  scheme: string
  target: string
}

/**
 * Reads the fields of a HEADERS frame (RFC 9113 §8.3.1) that nghttp2 has found to be well-formed: names in lower case,
 * no connection-specific fields, a target that begins with a slash or is `*`. Host is the authority, and has to agree
 * where both are there; crumbs of cookies are joined (§8.2.3). Which scheme a request came by, its connection says.
 *
 * @param fields As node:http2 gives them, names and values in turn.
 * @param combined The same by name.
 * @param maximumBytes Counted as over HTTP/1.1, two bytes of separators each.
 */
export function readRequestHead(
  fields: readonly string[],
  combined: IncomingHttpHeaders,
  maximumBytes: number,
): RequestHead | RefusedHead {
  const pseudo: PseudoHeaders = { authority: undefined, method: '', scheme: '', target: '' }
  const rawHeaders: string[] = []
  let [bytes, cookieAt] = [0, -1]
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const value = fields[i + 1] ?? ''
    bytes += name.length + value.length + 4
    if (name.charCodeAt(0) === PSEUDO) setPseudo(pseudo, name, value)
    else if (name === 'cookie' && cookieAt !== -1) rawHeaders[cookieAt] += `; ${value}`
    else {
      if (name === 'cookie') cookieAt = rawHeaders.length + 1
      rawHeaders.push(name, value)
    }
  }
  if (bytes > maximumBytes) {
    return refuse(431, 'header_too_large', `The fields are larger than ${maximumBytes} bytes.`)
  }
  return refusalOf(pseudo, combined) ?? joined(pseudo, rawHeaders, combined)
}

function setPseudo(pseudo: PseudoHeaders, name: string, value: string): void {
  if (name === ':authority') pseudo.authority = value
  else if (name === ':method') pseudo.method = value
  else if (name === ':path') pseudo.target = value
  else if (name === ':scheme') pseudo.scheme = value
}

function refusalOf(
  { method, scheme }: PseudoHeaders,
  { expect }: IncomingHttpHeaders,
): RefusedHead | undefined {
  if (method === 'CONNECT') return refuse(405, 'connect', 'CONNECT is not supported.')
  // As over HTTP/1.1, where node:http knows no other.
  if (!KNOWN_METHODS.has(method)) return refuse(501, 'unknown_method', 'The method is not known.')
  // Proxies in front name the scheme that their client used.
  if (scheme !== 'https' && scheme !== 'http')
    return refuse(400, 'bad_request', 'The scheme is neither https nor http.')
  if (expect !== undefined && !CONTINUE.test(expect))
    return refuse(417, 'unknown_expectation', 'The expectation is not known.')
  return undefined
}

function joined(
  { authority, method, target }: PseudoHeaders,
  fields: string[],
  combined: IncomingHttpHeaders,
): RequestHead | RefusedHead {
  const headers: IncomingHttpHeaders = {}
  for (const name in combined) if (name.charCodeAt(0) !== PSEUDO) headers[name] = combined[name]
  if (authority === undefined) return { ok: true, method, target, rawHeaders: fields, headers }
  const { host } = combined
  headers.host = authority
  if (host === undefined) {
    return { ok: true, method, target, rawHeaders: ['host', authority, ...fields], headers }
  }
  if (host.toLowerCase() !== authority.toLowerCase()) {
    return refuse(400, 'bad_request', 'The request names another authority than its Host field.')
  }
  return { ok: true, method, target, rawHeaders: fields, headers }
}

function refuse(status: RefusedHead['status'], reason: string, message: string): RefusedHead {
  return { ok: false, status, reason, message }
}
