import { stringifySetCookie } from 'cookie'
import type { SameSite } from '../../table/policy.ts'
import type { HeaderList } from '../decision.ts'

/** Where a cookie is valid. Every cookie of ours is HttpOnly. */
export interface CookieAttributes {
  readonly path: string
  readonly domain?: string
  /** `Default` writes no attribute. */
  readonly sameSite: SameSite
  readonly secure: boolean
}

/** On every response that carries a session cookie: a shared cache that kept it would hand out the session. */
export const NOT_CACHED: HeaderList[number] = ['cache-control', 'private, no-store']

const SAME_SITE = { Strict: 'strict', Lax: 'lax', None: 'none', Default: false } as const

/** The value of a Set-Cookie header (RFC 6265 §4.1). Without `maxAgeSeconds` the cookie ends with the browser. */
export function setCookie(
  name: string,
  value: string,
  attributes: CookieAttributes,
  maxAgeSeconds?: number,
): string {
  return stringifySetCookie({
    name,
    value,
    path: attributes.path,
    ...(attributes.domain !== undefined && { domain: attributes.domain }),
    ...(maxAgeSeconds !== undefined && { maxAge: maxAgeSeconds }),
    httpOnly: true,
    secure: attributes.secure,
    sameSite: SAME_SITE[attributes.sameSite],
  })
}

/** A Set-Cookie that removes a cookie; its attributes must be those it was set with. */
export function clearCookie(name: string, attributes: CookieAttributes): string {
  return setCookie(name, '', attributes, 0)
}
