import type { Claims } from '../decision.ts'
import { hasDuplicateMembers } from './duplicate-members.ts'

/** Longer tokens are refused before anything is decoded. Characters, which are bytes here. */
export const MAXIMUM_TOKEN_LENGTH = 16 * 1024

/** A JWS in compact form, decoded. Nothing is verified: whoever sent it wrote this. */
export interface UnverifiedJwt {
  /** The exact bytes. */
  readonly token: string
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Claims
}

/** What a token looks like, before anything is verified. */
export type TokenShape =
  | { readonly kind: 'jwt'; readonly jwt: UnverifiedJwt }
  /** Says nothing to anybody but its authorization server. Encrypted JWTs (five parts) are among them. */
  | { readonly kind: 'opaque' }
  /** A JWT whose parts cannot be read in one way. */
  | { readonly kind: 'malformed' }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)$/
const TEXT = /^[\x21-\x7e]+$/

/** Whether a token holds printable ASCII only, without spaces: anything else is no token (RFC 6750 §2.1). */
export function isTokenText(token: string): boolean {
  return TEXT.test(token)
}

/** Tells JWTs from opaque tokens: three base64url parts, the first of which is a JSON object. */
export function readToken(token: string): TokenShape {
  const parts = COMPACT.exec(token)
  const header = parts === null ? undefined : headerOf(parts[1] ?? '')
  if (header === undefined || !isObject(header.value)) return { kind: 'opaque' }
  const claims = jsonOf(parts?.[2] ?? '')
  if (claims === undefined || !isObject(claims.value) || header.ambiguous || claims.ambiguous) {
    return { kind: 'malformed' }
  }
  return { kind: 'jwt', jwt: { token, header: header.value, claims: claims.value } }
}

interface Reading {
  readonly value: unknown
  readonly ambiguous: boolean
}

// Tokens of one key have one header.
let lastHeader: { readonly part: string; readonly reading: Reading | undefined } | undefined

function headerOf(part: string): Reading | undefined {
  if (lastHeader?.part !== part) lastHeader = { part, reading: jsonOf(part) }
  return lastHeader.reading
}

function jsonOf(part: string): Reading | undefined {
  try {
    const text = utf8.decode(Buffer.from(part, 'base64url'))
    const value = JSON.parse(text) as unknown
    return { value, ambiguous: hasDuplicateMembers(text, value) }
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
