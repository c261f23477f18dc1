import { isIPv6 } from 'node:net'
import { KnownReadings } from './known-readings.ts'

/** Where a request is addressed to. */
export interface RequestAuthority {
  readonly ok: true
  /** Lower case, without port and trailing dot; IPv6 in brackets; empty where HTTP/1.0 sent no Host. */
  readonly host: string
  /** The Host field in lower case, with its port where one was sent. */
  readonly authority: string
  /** The target in origin-form (RFC 9112 §3.2.1); forms that are neither origin nor absolute are left as sent. */
  readonly target: string
}

/** An authority, or why it is answered 400; the message never repeats what was sent. */
export type AuthorityReading = RequestAuthority | { readonly ok: false; readonly message: string }

const NAME = /^([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::([0-9]{1,5}))?$/i
const IPV6 = /^(\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/i
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)/i
const MAXIMUM_HOST_LENGTH = 253

const NO_HOST = { host: '' }
/** By Host field; `undefined` where it is none. */
const HOSTS = new KnownReadings((field) => ({ host: hostOf(field) }))

/**
 * Reads the one Host field and agrees it with an absolute-form target (RFC 9112 §3.2). Refuses a repeated Host, one
 * with characters of no host name or IP address, and a target whose authority is not the very same. That HTTP/1.1
 * sends a Host is for node:http to enforce.
 */
export function readAuthority(rawHeaders: readonly string[], target: string): AuthorityReading {
  let field: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (field !== undefined) return refuse('The request has more than one Host field.')
    field = rawHeaders[i + 1] ?? ''
  }
  const authority = field === undefined ? '' : field.toLowerCase()
  const { host } = field === undefined ? NO_HOST : HOSTS.get(field)
  if (host === undefined) return refuse('The Host field is not a host name or address with an optional port.')
  return target.charCodeAt(0) === 0x2f
    ? { ok: true, host, authority, target }
    : readOtherForm(host, authority, target)
}

function readOtherForm(host: string, authority: string, target: string): AuthorityReading {
  const absolute = ABSOLUTE_FORM.exec(target)
  if (absolute === null) return { ok: true, host, authority, target }
  if (authority === '' || absolute[1]?.toLowerCase() !== authority) {
    return refuse('The request target names another host than the Host field.')
  }
  const rest = target.slice(absolute[0].length)
  return { ok: true, host, authority, target: rest.startsWith('/') ? rest : `/${rest}` }
}

function hostOf(field: string): string | undefined {
  const match = field.charCodeAt(0) === 0x5b ? IPV6.exec(field) : NAME.exec(field)
  const host = match?.[1]
  if (host === undefined || host.length > MAXIMUM_HOST_LENGTH) return undefined
  if (Number(match?.[2] ?? 0) > 65_535) return undefined
  if (host.charCodeAt(0) === 0x5b && !isIPv6(host.slice(1, -1))) return undefined
  return host.toLowerCase()
}

function refuse(message: string): AuthorityReading {
  return { ok: false, message }
}
