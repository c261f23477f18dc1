import type { HeaderList } from '../decision.ts'
import { cookieHeaderOf } from './cookie-header.ts'
import type { SessionRequest } from './session-store.ts'
import { clearCookie } from './set-cookie.ts'

const SESSION_COOKIE = /^(__Host-|__Secure-)?(.+_[0-9a-f]{8})_os_\d$/
const MAXIMUM_CLEARED = 18

/**
 * Set-Cookie headers that clear session cookies of realms that no policy has any more, as after a change of
 * `sessionCookieDomain`. Only those of this host alone and of the path `/` can be reached; others end with the
 * browser.
 */
export function forgottenCookies({ snapshot, facts }: SessionRequest): HeaderList {
  const names = new Set(cookieHeaderOf(facts.headers).split(';').map(nameOf))
  const realms = new Set(Object.values(snapshot.table.policies).map(({ session }) => session.cookieName))
  const forgotten = [...names].flatMap((name) => {
    const [, prefix, realm] = SESSION_COOKIE.exec(name) ?? []
    if (realm === undefined || realms.has(realm)) return []
    const attributes = { path: '/', sameSite: 'Lax', secure: prefix !== undefined } as const
    return [['set-cookie', clearCookie(name, attributes)] as const]
  })
  return forgotten.slice(0, MAXIMUM_CLEARED)
}

function nameOf(pair: string): string {
  return pair.split('=', 1)[0]?.trim() ?? ''
}
