import { describe, expect, it } from 'vitest'
import { returnLocation, returnTarget } from '../../../src/auth/relying-party/return-target.ts'
import { factsOf } from './browser.ts'
import { policyOf } from './login-fixture.ts'

describe('returnTarget', () => {
  it.each([
    '/',
    '/orders',
    '/orders?id=1&q=a%20b+c&x=//evil.example&y=%5c%2f%09&z=\\',
    '/a//b',
    '/a%2fb',
    '/a%5cb',
    '/%E4%B8%AD?q=%zz',
    '/a;b=c,d@e:f!$&\'()*+=?"<>^`{|}',
    '/?https://evil.example/',
  ])('gives %s back unchanged', (target) => {
    expect(returnTarget(target)).toBe(target)
  })

  it.each([
    '',
    'orders',
    'https://evil.example/',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/a\\b',
    '/%2fevil.example',
    '/%2Fevil.example',
    '/%5cevil.example',
    '/%5C%5Cevil.example',
    '/%252fevil.example',
    '/%255cevil.example',
    '/%09/evil.example',
    '/%0a%0d/evil.example',
    '/%2509/evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    '/a b',
    '/a\u0000b',
    '/a\u00e9',
    '/a#b',
    '/a?b#c',
    '/.//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
  ])('refuses %j', (target) => {
    expect(returnTarget(target)).toBeUndefined()
  })
})

describe('returnLocation', () => {
  const here = factsOf('https://auth.example.com/oauth2/callback?code=c')
  const shared = policyOf({ session: { cookieDomain: 'example.com' } })

  it('is the bare target on the same host, whichever scheme the login began with', () => {
    for (const origin of [
      'https://auth.example.com',
      'http://auth.example.com',
      'https://AUTH.example.com:443',
    ]) {
      expect(returnLocation({ origin, target: '/a?b' }, policyOf(), here)).toBe('/a?b')
    }
  })

  it('is absolute on a host of the cookie domain', () => {
    const login = { origin: 'https://app.example.com', target: '/a?b' }
    expect(returnLocation(login, shared, here)).toBe('https://app.example.com/a?b')
  })

  it.each(['https://evil.example', 'https://notexample.com', 'https://example.com.evil.example', 'nonsense'])(
    'is nowhere for a login that began at %s',
    (origin) => {
      expect(returnLocation({ origin, target: '/' }, shared, here)).toBeUndefined()
    },
  )

  it('is nowhere on another host without a cookie domain', () => {
    expect(
      returnLocation({ origin: 'https://app.example.com', target: '/' }, policyOf(), here),
    ).toBeUndefined()
  })
})
