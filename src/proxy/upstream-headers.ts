import { assertNever } from '../assert-never.ts'
import type { Allow, HeaderList } from '../auth/decision.ts'
import { isOwnCookie } from '../auth/session/cookie-names.ts'
import { connectionOptions, isHopByHop, withoutNames } from './hop-by-hop.ts'
import { foldHeaderName, isIdentityHeader } from './identity-headers.ts'
import { KnownReadings } from './known-readings.ts'
import type { ConnectionView } from './trusted-proxies.ts'

/** A request as it came, and what it is to become. */
export interface UpstreamRequest {
  /** Of node:http: names and values in turn, as sent. */
  readonly rawHeaders: readonly string[]
  readonly connectionView: ConnectionView
  /** The Host field in lower case, with its port where one was sent. */
  readonly authority: string
  /** The route's. Names here and in `edits` count in any case, dash or underscore spelling. */
  readonly removeHeaders: readonly string[]
  /** Without any, our own cookies go all the same. */
  readonly edits?: Pick<Allow, 'removeHeaders' | 'setHeaders' | 'removeCookies'> | undefined
  /** Of the client's certificate. */
  readonly certificateHeaders?: HeaderList | undefined
  /** The value of a Forwarded field of ours (RFC 7239). Absent: one that a trusted proxy sent passes. */
  readonly forwarded?: string | undefined
  /** Length in bytes of a body that was buffered or rewritten: replaces Content-Length. */
  readonly bodyReplaced?: number | undefined
  /** The route's. Names that authorization removes or sets are not added by it. */
  readonly routeEdits?: RequestEdits | undefined
  /** The target as sent, where the upstream sees another path: becomes X-Original-URI. */
  readonly originalTarget?: string | undefined
}

/** What a route makes of its clients' fields. */
export interface RequestEdits {
  /** Folded names. */
  readonly remove: ReadonlySet<string>
  /** Added in their place, and beside others. */
  readonly fields: HeaderList
}

/** `forwarding` fields say who the client is: they pass from trusted proxies alone. */
type SpecialKind =
  'forwarding' | 'forwarded' | 'connection' | 'te' | 'cookie' | 'content-length' | 'authorization'

/** `dropped` fields end here, pretend to an identity, or are set by us. */
type NameKind = 'plain' | 'dropped' | SpecialKind

interface Name {
  readonly folded: string
  readonly kind: NameKind
}

/**
 * The header list for undici: the client's fields in their order and spelling, without hop-by-hop fields, those that
 * the client's Connection names, identity headers and removed names; then ours. Ours come after the Connection list
 * was applied, so that no client can take them away (GHSA-gwhp-pf74-vj37). Host is kept as sent.
 */
export function upstreamRequestHeaders(input: UpstreamRequest): string[] {
  const { rawHeaders } = input
  const headers: string[] = []
  let connection: string | undefined
  let authorized = false
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const rawName = rawHeaders[i] ?? ''
    const { kind, folded } = NAMES.get(rawName)
    const rawValue = rawHeaders[i + 1] ?? ''
    if (kind === 'connection') connection = connection === undefined ? rawValue : `${connection},${rawValue}`
    if (kind === 'dropped' || isRemoved(folded, input)) continue
    // node:http judges the first Authorization alone: a second must not reach an upstream that reads the last.
    if (kind === 'authorization' && authorized) continue
    authorized ||= kind === 'authorization'
    const value = kind === 'plain' ? rawValue : specialValue(kind, rawValue, input)
    if (value !== undefined) headers.push(rawName, value)
  }
  const kept = connection === undefined ? headers : withoutNames(headers, connectionOptions(connection))
  addOurs(kept, input)
  return kept
}

/** What becomes of a field with a rule of its own; `undefined`: it goes. */
function specialValue(kind: SpecialKind, value: string, input: UpstreamRequest): string | undefined {
  switch (kind) {
    case 'forwarding':
    case 'forwarded':
      return isBelieved(kind, input) ? value : undefined
    case 'te':
      return /(?:^|,)[\t ]*trailers[\t ]*(?:,|$)/i.test(value) ? 'trailers' : undefined
    case 'cookie':
      // Open routes too: their upstreams may be of another namespace, and could use a session that they see.
      return withoutCookies(value, input.edits?.removeCookies ?? isOwnCookie)
    case 'content-length':
      return input.bodyReplaced === undefined ? value : undefined
    case 'connection':
      return undefined
    case 'authorization':
      return value
    default:
      return assertNever(kind)
  }
}

/** A Forwarded field of ours says what the peer's did, as far as that is vouched for. */
function isBelieved(
  kind: 'forwarding' | 'forwarded',
  { connectionView, forwarded }: UpstreamRequest,
): boolean {
  return connectionView.trusted && (kind === 'forwarding' || forwarded === undefined)
}

function isRemoved(folded: string, input: UpstreamRequest): boolean {
  return input.routeEdits?.remove.has(folded) === true || isAuthorizations(folded, input)
}

/** Whether authorization alone may say what is in a field. */
function isAuthorizations(folded: string, input: UpstreamRequest): boolean {
  if (input.removeHeaders.length > 0 && includesName(input.removeHeaders, folded)) return true
  const { edits } = input
  return (
    edits !== undefined && (includesName(edits.removeHeaders, folded) || setsName(edits.setHeaders, folded))
  )
}

function includesName(names: readonly string[], folded: string): boolean {
  for (const name of names) if (isSameName(name, folded)) return true
  return false
}

function setsName(headers: HeaderList, folded: string): boolean {
  for (const header of headers) if (isSameName(header[0], folded)) return true
  return false
}

function isSameName(name: string, folded: string): boolean {
  return name.length === folded.length && (name === folded || foldHeaderName(name) === folded)
}

function addOurs(headers: string[], input: UpstreamRequest): void {
  const { connectionView, authority, edits, bodyReplaced, forwarded } = input
  headers.push('X-Forwarded-For', connectionView.forwardedFor)
  const host = connectionView.forwardedHost ?? authority
  if (host !== '') headers.push('X-Forwarded-Host', host)
  headers.push('X-Forwarded-Proto', connectionView.forwardedProto)
  headers.push(
    'X-Forwarded-Port',
    connectionView.forwardedPort ?? portOf(authority, connectionView.forwardedProto),
  )
  if (forwarded !== undefined) headers.push('Forwarded', forwarded)
  if (bodyReplaced !== undefined) headers.push('Content-Length', String(bodyReplaced))
  if (input.routeEdits !== undefined) addRouteFields(headers, input.routeEdits, input)
  if (edits !== undefined) for (const [name, value] of edits.setHeaders) headers.push(name, value)
  for (const [name, value] of input.certificateHeaders ?? []) headers.push(name, value)
}

function addRouteFields(headers: string[], { fields }: RequestEdits, input: UpstreamRequest): void {
  for (const [name, value] of fields) {
    if (!isAuthorizations(foldHeaderName(name), input)) headers.push(name, value)
  }
  if (input.originalTarget !== undefined) headers.push('X-Original-URI', input.originalTarget)
}

function portOf(authority: string, scheme: 'http' | 'https'): string {
  const colon = authority.lastIndexOf(':')
  if (colon > authority.lastIndexOf(']')) return authority.slice(colon + 1)
  return scheme === 'https' ? '443' : '80'
}

/** A Cookie value without some cookies; the others keep their bytes. `undefined`: none is left. */
function withoutCookies(value: string, remove: (name: string) => boolean): string | undefined {
  let kept = ''
  let keptFrom = 0
  for (let start = 0; start <= value.length;) {
    const semicolon = value.indexOf(';', start)
    const end = semicolon === -1 ? value.length : semicolon
    if (remove(cookieName(value.slice(start, end)))) {
      kept += value.slice(keptFrom, start)
      keptFrom = end + 1
    }
    start = end + 1
  }
  if (keptFrom === 0) return value
  // Where the last pair went, the semicolon before it goes too.
  const rest = keptFrom > value.length ? kept.slice(0, -1) : kept + value.slice(keptFrom)
  return rest.trimStart() || undefined
}

function cookieName(pair: string): string {
  const equals = pair.indexOf('=')
  return (equals === -1 ? pair : pair.slice(0, equals)).trim()
}

const NAMES = new KnownReadings<Name>((rawName) => {
  const folded = foldHeaderName(rawName)
  return { folded, kind: kindOf(rawName.toLowerCase(), folded) }
})

const OWN_RULE: ReadonlyMap<string, SpecialKind> = new Map([
  ['authorization', 'authorization'],
  ['connection', 'connection'],
  ['content-length', 'content-length'],
  ['cookie', 'cookie'],
  ['forwarded', 'forwarded'],
  ['te', 'te'],
])

// Set by us on every request.
const FORWARDED_BY_US: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
])

// `X-Original-*` and `X-Rewrite-URL` replace the path in some frameworks, and with it the route that was judged.
const OTHER_FORWARDING: ReadonlySet<string> = new Set(['x-real-ip', 'x-original-url', 'x-rewrite-url'])

function kindOf(lowerCase: string, folded: string): NameKind {
  const own = OWN_RULE.get(lowerCase)
  if (own !== undefined) return own
  if (isHopByHop(lowerCase) || isIdentityHeader(folded) || FORWARDED_BY_US.has(folded)) return 'dropped'
  // No field of HTTP, but CGI makes HTTP_PROXY of it, and libraries send their calls there (httpoxy).
  if (folded === 'proxy') return 'dropped'
  // `Content_Length` and its like are no fields of HTTP, but servers that fold names would take them for one.
  if (folded !== lowerCase && (OWN_RULE.has(folded) || isHopByHop(folded))) return 'dropped'
  const isForwarding = folded.startsWith('x-forwarded-') || folded === 'x-original-uri'
  return isForwarding || OTHER_FORWARDING.has(folded) ? 'forwarding' : 'plain'
}
