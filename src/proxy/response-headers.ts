import type { HeaderList } from '../auth/decision.ts'
import { isOwnCookie } from '../auth/session/cookie-names.ts'
import { connectionOptions, isHopByHop, withoutNames } from './hop-by-hop.ts'
import { KnownReadings } from './known-readings.ts'

/**
 * undici's `controller.rawHeaders`: names and values in turn over HTTP/1.1, where both are Buffers, or an object
 * over HTTP/2.
 */
export type UpstreamResponseHeaders =
  | readonly (Buffer | string)[]
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | null
  | undefined

/** What a route makes of its upstream's fields. */
export interface ResponseEdits {
  /** Lower case. */
  readonly remove: ReadonlySet<string>
  /** What the upstream says of other origins' scripts goes. */
  readonly removesCors: boolean
  /** Added in their place, and beside others. */
  readonly fields: HeaderList
}

const NONE: ReadonlySet<string> = new Set()
const NO_FIELDS: HeaderList = []

interface Name {
  readonly lowerCase: string
  readonly kind: 'passes' | 'ends' | 'connection'
}

const NAMES = new KnownReadings<Name>((name) => {
  const lowerCase = name.toLowerCase()
  if (lowerCase === 'connection') return { lowerCase, kind: 'connection' }
  return { lowerCase, kind: isHopByHop(lowerCase) ? 'ends' : 'passes' }
})

// Caches that know these prefer them to Cache-Control (RFC 9213), so they must not outlive one that we set.
const OTHER_CACHE_RULES = /^(?:expires|pragma|surrogate-control|(?:.*-)?cdn-cache-control|x-accel-expires)$/

/**
 * The header list for `writeHead`: the upstream's without what ends at this hop, then ours. A name that we add
 * replaces the upstream's, but for Set-Cookie, which is kept beside ours unless it sets a cookie of ours. `Server: ostiary` only where the upstream
 * names none; node:http adds Date.
 */
export function downstreamResponseHeaders(
  rawHeaders: UpstreamResponseHeaders,
  added: HeaderList,
  edits?: ResponseEdits,
): string[] {
  const fields = rawHeaders == null ? [] : flatList(rawHeaders)
  const replaced = replacedNames(added)
  const headers: string[] = []
  let connection: string | undefined
  let hasServer = replaced.has('server')
  for (let i = 0; i < fields.length; i += 2) {
    const name = text(fields[i])
    const { lowerCase, kind } = NAMES.get(name)
    if (kind === 'ends') continue
    const value = text(fields[i + 1])
    if (kind === 'connection') connection = joined(connection, value)
    else if (!isReplaced(lowerCase, replaced, edits) && !isOwnSetCookie(lowerCase, value)) {
      headers.push(name, value)
      hasServer ||= lowerCase === 'server'
    }
  }
  const kept = connection === undefined ? headers : withoutNames(headers, connectionOptions(connection))
  const setsServer = addFields(kept, edits?.fields ?? NO_FIELDS, replaced)
  if (!hasServer && !setsServer) kept.push('Server', 'ostiary')
  for (const [name, value] of added) kept.push(name, value)
  return kept
}

function joined(list: string | undefined, value: string): string {
  return list === undefined ? value : `${list},${value}`
}

/** What authorization adds comes before what an Ingress says: Cache-Control beside a session cookie, above all. */
function addFields(kept: string[], fields: HeaderList, replaced: ReadonlySet<string>): boolean {
  let setsServer = false
  for (const [name, value] of fields) {
    const lowerCase = name.toLowerCase()
    if (isReplaced(lowerCase, replaced)) continue
    kept.push(name, value)
    setsServer ||= lowerCase === 'server'
  }
  return setsServer
}

/**
 * An upstream that set our cookies could sign a browser in as somebody else, or out, at every other upstream. Of a cookie
 * without a name (`=name=value`) browsers send the value alone, which is a name and a value then.
 */
function isOwnSetCookie(lowerCase: string, value: string): boolean {
  return lowerCase === 'set-cookie' && setsOwnCookie(value)
}

function setsOwnCookie(setCookie: string): boolean {
  const [pair = ''] = setCookie.replace(/^[\t =]+/, '').split(';', 1)
  return isOwnCookie(pair.slice(0, Math.max(0, pair.indexOf('='))).trim())
}

/** Names and values in turn. */
export function flatList(rawHeaders: NonNullable<UpstreamResponseHeaders>): readonly (Buffer | string)[] {
  if (isList(rawHeaders)) return rawHeaders
  const list: string[] = []
  for (const [name, value] of Object.entries(rawHeaders)) {
    if (typeof value === 'string') list.push(name, value)
    else for (const each of value ?? []) list.push(name, each)
  }
  return list
}

function isList(headers: NonNullable<UpstreamResponseHeaders>): headers is readonly (Buffer | string)[] {
  return Array.isArray(headers)
}

function text(part: Buffer | string | undefined): string {
  return typeof part === 'string' ? part : (part?.toString('latin1') ?? '')
}

function replacedNames(added: HeaderList): ReadonlySet<string> {
  if (added.length === 0) return NONE
  const names = new Set<string>()
  for (const [name] of added) names.add(name.toLowerCase())
  names.delete('set-cookie')
  // A list that grows: what the upstream varies by counts too.
  names.delete('vary')
  return names
}

function isReplaced(lowerCase: string, replaced: ReadonlySet<string>, edits?: ResponseEdits): boolean {
  if (edits?.remove.has(lowerCase) === true) return true
  if (edits?.removesCors === true && lowerCase.startsWith('access-control-')) return true
  if (replaced.size === 0) return false
  return replaced.has(lowerCase) || (replaced.has('cache-control') && OTHER_CACHE_RULES.test(lowerCase))
}
