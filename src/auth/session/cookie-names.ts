import type { SessionPolicy } from '../../table/policy.ts'

/** How many logins of one browser can be under way at once. */
export const FLOW_SLOTS = 5

/** A session is cut into at most so many cookies; a chunk's number is one digit. */
export const MAXIMUM_CHUNKS = 9

const OWN_COOKIE = /_[0-9a-f]{8}_os_(?:\d|f\d|n|a)$/

/**
 * Whether a cookie is Ostiary's, of whatever policy, realm, scheme or prefix: no upstream may see it. Recognised by
 * the end of its name alone, `_<8 hex of the realm>_os_…`, so that cookies of policies that are gone are kept back too.
 * `…_a` keeps a client at an endpoint (the hex is of the upstream).
 */
export function isOwnCookie(name: string): boolean {
  return OWN_COOKIE.test(name)
}

/**
 * The name of a realm's session cookies without the chunk number at its end. `__Host-` where the browser then
 * enforces what is configured anyway (RFC 6265bis §4.1.3), which also stops sibling hosts from planting one.
 */
export function sessionCookieName(session: SessionPolicy, secure: boolean): string {
  const hostOnly = session.cookiePath === '/' && session.cookieDomain === undefined
  return `${secure ? (hostOnly ? '__Host-' : '__Secure-') : ''}${session.cookieName}_os_`
}

/** The name of the cookie that proves the browser which started the login in this slot. */
export function flowCookieName(session: SessionPolicy, secure: boolean, slot: number): string {
  return `${secure ? '__Secure-' : ''}${session.cookieName}_os_f${slot}`
}

/** The name of the cookie that counts completed logins, to stop a loop of them. */
export function loginCountCookieName(session: SessionPolicy, secure: boolean): string {
  return `${secure ? '__Secure-' : ''}${session.cookieName}_os_n`
}
