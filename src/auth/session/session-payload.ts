import { decodeJwt } from 'jose'
import type { Claims } from '../decision.ts'
import type { Session } from './session.ts'

/** A token inside a payload: JWT segments as text, or the token itself. */
type PackedToken = string | readonly [header: string, claims: string, rest: string]

/**
 * The bytes of a session before sealing. JWT segments are stored as the JSON they encode, which compresses several
 * times better than its base64url (long group lists), but only where that gives back the very same token.
 */
export function encodeSession(session: Session): Buffer {
  const payload = {
    n: session.id,
    a: packToken(session.accessToken),
    ...(session.idToken !== undefined && { i: packToken(session.idToken) }),
    ...(session.refreshToken !== undefined && { r: packToken(session.refreshToken) }),
    ...(session.scope !== undefined && { s: session.scope }),
    ...(session.accessTokenExpiresAtSeconds !== undefined && { e: session.accessTokenExpiresAtSeconds }),
    t: [
      session.createdAtSeconds,
      session.renewedAtSeconds,
      session.lastSeenAtSeconds,
      session.tokensIssuedAtSeconds,
    ],
  }
  return Buffer.from(JSON.stringify(payload))
}

/** Reads what `encodeSession` wrote; `undefined` for what another version wrote in another shape. */
export function decodeSession(bytes: Buffer): Session | undefined {
  const payload = parseObject(bytes)
  const { n: id, t: times } = payload
  const accessToken = unpackToken(payload['a'])
  if (typeof id !== 'string' || accessToken === undefined || !isTimes(times)) return undefined
  const idToken = unpackToken(payload['i'])
  const refreshToken = unpackToken(payload['r'])
  const [createdAtSeconds, renewedAtSeconds, lastSeenAtSeconds, tokensIssuedAtSeconds] = times
  return {
    id,
    accessToken,
    accessTokenClaims: claimsOf(accessToken),
    ...(idToken !== undefined && { idToken }),
    idTokenClaims: idToken === undefined ? {} : claimsOf(idToken),
    ...(refreshToken !== undefined && { refreshToken }),
    ...(typeof payload['s'] === 'string' && { scope: payload['s'] }),
    ...(typeof payload['e'] === 'number' && { accessTokenExpiresAtSeconds: payload['e'] }),
    tokensIssuedAtSeconds,
    createdAtSeconds,
    renewedAtSeconds,
    lastSeenAtSeconds,
  }
}

/** The payload of a JWT without verification, for tokens whose origin is known; `{}` for an opaque token. */
export function claimsOf(token: string): Claims {
  try {
    return decodeJwt(token)
  } catch {
    return {}
  }
}

function packToken(token: string): PackedToken {
  const [header, claims, ...rest] = token.split('.')
  if (header === undefined || claims === undefined) return token
  const packed: PackedToken = [textOf(header), textOf(claims), rest.join('.')]
  return unpackToken(packed) === token && rest.length > 0 ? packed : token
}

function unpackToken(packed: unknown): string | undefined {
  if (typeof packed === 'string') return packed
  if (!Array.isArray(packed)) return undefined
  const [header, claims, rest] = packed as unknown[]
  if (typeof header !== 'string' || typeof claims !== 'string' || typeof rest !== 'string') return undefined
  return `${segmentOf(header)}.${segmentOf(claims)}.${rest}`
}

function textOf(segment: string): string {
  return Buffer.from(segment, 'base64url').toString('utf8')
}

function segmentOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url')
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function isTimes(value: unknown): value is [number, number, number, number] {
  return Array.isArray(value) && value.length === 4 && value.every((each) => typeof each === 'number')
}

/** About how many characters of memory a session takes: sealed it is compressed, and may be far smaller. */
export function sizeOfSession({ accessToken, idToken = '', refreshToken = '' }: Session): number {
  return (accessToken.length + idToken.length) * 4 + refreshToken.length + 1024
}
