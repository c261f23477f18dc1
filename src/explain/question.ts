import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { OstiaryError } from '../errors.ts'
import type { RehearsedRequest } from '../proxy/rehearsal.ts'
import type { ExplainedRequest } from './explanation.ts'

/** A request to explain, as somebody would type it. */
export interface RequestWords {
  /** Default: GET. */
  readonly method?: string
  /** Absolute, http or https; its bytes are kept as they are. */
  readonly url: string
  /** `Name: value` each, as for curl; a Host takes the place of the URL's. */
  readonly headers?: readonly string[]
  /** The address that the connection comes from; default 203.0.113.1 (RFC 5737), which nobody trusts. */
  readonly from?: string
}

/** A request that can be sent, and what may be told of it. */
export interface Question {
  readonly request: RehearsedRequest
  readonly told: ExplainedRequest
}

const DEFAULT_ADDRESS = '203.0.113.1'
const PARTS = /^(https?):\/\/([^/?#]*)([^#]*)$/i
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const LATIN_1 = /^[\t\x20-\x7e\x80-\xff]*$/
const DEFAULT_PORTS = { http: ':80', https: ':443' } as const
const BODY_FIELDS = new Set(['content-length', 'transfer-encoding'])

/**
 * Reads what was typed. Paths are not put into another form, as a client may do that: what is judged is what was typed,
 * but for characters outside of ASCII, which browsers escape.
 *
 * @throws OstiaryError ERR_SETTINGS_INVALID; the message repeats no header value and no query.
 */
export function readQuestion({
  method = 'GET',
  url,
  headers = [],
  from = DEFAULT_ADDRESS,
}: RequestWords): Question {
  if (!TOKEN.test(method)) throw invalid(`${JSON.stringify(method)} is no HTTP method`)
  if (isIP(from) === 0) throw invalid('--from: must be an IP address')
  const { scheme, authority, target } = readUrl(url)
  const fields = headers.map(readField)
  const hostField = fields.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? authority
  const own = fields.some(([name]) => name.toLowerCase() === 'host') ? [] : [['Host', authority] as const]
  const lines = [...own, ...fields].map(([name, value]) => `${name}: ${value}\r\n`)
  const serverName = authority.replace(/:\d*$/, '').toLowerCase()
  const question = target.indexOf('?')
  return {
    request: {
      head: `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`,
      clientAddress: from,
      scheme,
      // Names alone are sent in a handshake (RFC 6066 §3).
      ...(scheme === 'https' && isIP(serverName.replace(/^\[|\]$/g, '')) === 0 && { serverName }),
    },
    told: {
      method,
      scheme,
      host: hostField,
      path: question === -1 ? target : target.slice(0, question),
      queryParameters: question === -1 ? [] : parameterNames(target.slice(question + 1)),
      headers: [...new Set(fields.map(([name]) => name))],
      from,
    },
  }
}

function readUrl(url: string): { scheme: 'http' | 'https'; authority: string; target: string } {
  const [, scheme = '', host = '', rest = ''] = PARTS.exec(url) ?? []
  if (scheme === '') throw invalid('the address must be an absolute http or https URL without a fragment')
  if (host.includes('@'))
    throw invalid('the address must hold no user name and password: use -H Authorization')
  if (/[\0-\x20\x7f]/.test(url)) throw invalid('the address holds a space or a control character: escape it')
  const lowerCase = scheme.toLowerCase() === 'https' ? 'https' : 'http'
  const authority = asciiAuthority(host, DEFAULT_PORTS[lowerCase])
  const target = rest.startsWith('/') ? rest : `/${rest}`
  return {
    scheme: lowerCase,
    authority,
    target: target.toWellFormed().replaceAll(/[^\0-\x7f]+/g, encodeURIComponent),
  }
}

function asciiAuthority(authority: string, defaultPort: string): string {
  const withoutDefault = authority.endsWith(defaultPort) ? authority.slice(0, -defaultPort.length) : authority
  const [, host = '', port = ''] = /^(.*?)(:\d*)?$/.exec(withoutDefault) ?? []
  const ascii = /^[\0-\x7f]*$/.test(host) ? host : domainToASCII(host)
  if (ascii === '') throw invalid('the address has no host name')
  return `${ascii}${port}`
}

function readField(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0)).trim()
  const value = line.slice(colon + 1).trim()
  if (!TOKEN.test(name)) throw invalid("-H: write 'Name: value'")
  if (!LATIN_1.test(value)) throw invalid(`-H: the value of ${name} holds a character that no field may`)
  if (BODY_FIELDS.has(name.toLowerCase()))
    throw invalid(`-H: ${name} says that a body follows, and none is sent`)
  return [name, value]
}

function parameterNames(query: string): string[] {
  return [...new Set(new URLSearchParams(query).keys())]
}

function invalid(message: string): OstiaryError {
  return new OstiaryError('ERR_SETTINGS_INVALID', message)
}
