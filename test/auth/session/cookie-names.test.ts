import { describe, expect, it } from 'vitest'
import {
  flowCookieName,
  FLOW_SLOTS,
  isOwnCookie,
  loginCountCookieName,
  MAXIMUM_CHUNKS,
  sessionCookieName,
} from '../../../src/auth/session/cookie-names.ts'
import { policyOf } from '../relying-party/login-fixture.ts'

const { session } = policyOf({ session: { realm: '1a2b3c4d'.repeat(8), cookieName: 'shop-x_1a2b3c4d' } })

describe('cookie names', () => {
  it('bind session cookies to the host over https where path and domain allow it', () => {
    expect(sessionCookieName(session, true)).toBe('__Host-shop-x_1a2b3c4d_os_')
    expect(sessionCookieName({ ...session, cookiePath: '/app' }, true)).toBe('__Secure-shop-x_1a2b3c4d_os_')
    expect(sessionCookieName({ ...session, cookieDomain: 'example.com' }, true)).toBe(
      '__Secure-shop-x_1a2b3c4d_os_',
    )
  })

  it('have no prefix over http, where browsers refuse it', () => {
    expect(sessionCookieName(session, false)).toBe('shop-x_1a2b3c4d_os_')
    expect(flowCookieName(session, false, 3)).toBe('shop-x_1a2b3c4d_os_f3')
  })

  it('of a login are __Secure- over https, whatever their path', () => {
    expect(flowCookieName(session, true, 0)).toBe('__Secure-shop-x_1a2b3c4d_os_f0')
    expect(loginCountCookieName(session, true)).toBe('__Secure-shop-x_1a2b3c4d_os_n')
  })
})

describe('isOwnCookie', () => {
  it('knows every name that is ever written, whatever prefix the user chose', () => {
    for (const cookieName of ['ostiary_1a2b3c4d', 'session_os_0_1a2b3c4d', 'a_1a2b3c4d', '-_1a2b3c4d']) {
      for (const secure of [true, false]) {
        const own = { ...session, cookieName }
        for (let chunk = 0; chunk < MAXIMUM_CHUNKS; chunk += 1) {
          expect(isOwnCookie(`${sessionCookieName(own, secure)}${chunk}`)).toBe(true)
        }
        for (let slot = 0; slot < FLOW_SLOTS; slot += 1) {
          expect(isOwnCookie(flowCookieName(own, secure, slot))).toBe(true)
        }
        expect(isOwnCookie(loginCountCookieName(own, secure))).toBe(true)
      }
    }
  })

  it.each([
    'session',
    'ostiary',
    'ostiary_1a2b3c4d',
    'os_0',
    'my_os_0',
    'my_deadbeef_os_',
    'my_deadbeef_os_0x',
    'my_DEADBEEF_os_0',
    'my_deadbee_os_0',
    '_oauth2_proxy_1',
    'my_deadbeef_os_g1',
  ])('leaves %s to the application', (name) => {
    expect(isOwnCookie(name)).toBe(false)
  })
})
