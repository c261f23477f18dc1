import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cookieValues } from '../../src/auth/session/cookie-header.ts'
import { CookieSessionStore } from '../../src/auth/session/cookie-session-store.ts'
import { SessionKeys } from '../../src/auth/session/session-keys.ts'
import { claimsOf } from '../../src/auth/session/session-payload.ts'
import type { Session } from '../../src/auth/session/session.ts'
import { Browser, factsOf } from '../auth/relying-party/browser.ts'
import { newKey, policyOf, snapshotOf } from '../auth/relying-party/login-fixture.ts'
import { ManualClock } from '../support/manual-clock.ts'

const URL = 'https://app.example.com/'
const clock = new ManualClock()
const policy = policyOf()
const snapshot = snapshotOf([policy], [newKey()])
const now = clock.now() / 1000

function newStore(): CookieSessionStore {
  return new CookieSessionStore(clock, randomBytes, new SessionKeys())
}

function sessionOf(accessToken: string, idToken: string): Session {
  const times = {
    tokensIssuedAtSeconds: now,
    createdAtSeconds: now,
    renewedAtSeconds: now,
    lastSeenAtSeconds: now,
  }
  const claims = { accessTokenClaims: claimsOf(accessToken), idTokenClaims: claimsOf(idToken) }
  return { id: 'session-1', accessToken, idToken, ...claims, ...times }
}

/** The Cookie header of a browser that holds the session. */
function cookieOf(session: Session): string {
  const browser = new Browser()
  const saved = newStore().create({ snapshot, policy, facts: factsOf(URL) }, session)
  if (!saved.ok) throw new Error(saved.reason)
  browser.takeHeaders(saved.setCookies, factsOf(URL))
  return browser.go(URL).headers['cookie'] as string
}

function open(cookie: string, store = newStore()) {
  return store.open({ snapshot, policy, facts: factsOf(URL, { headers: { cookie } }) })
}

const segment = fc.oneof(
  fc.json({ maxDepth: 2 }).map((json) => Buffer.from(json).toString('base64url')),
  fc.base64String({ maxLength: 60 }),
)
const token = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 200 }),
  fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('.')),
)

describe('a session in cookies', () => {
  it('is read back as it was, whatever the tokens', () => {
    fc.assert(
      fc.property(token, token, (accessToken, idToken) => {
        const session = sessionOf(accessToken, idToken)
        expect(open(cookieOf(session))).toEqual({ kind: 'session', session, setCookies: [] })
      }),
      { numRuns: 150 },
    )
  })

  it('is none with any bit flipped, whether or not it was opened before', () => {
    const cookie = cookieOf(sessionOf('access', randomBytes(4000).toString('base64url')))
    const values = [...cookie.matchAll(/=([^;]*)/g)].map(({ index, 1: value }) => [index + 1, value!.length])
    const positions = values.flatMap(([from = 0, length = 0]) =>
      Array.from({ length }, (_, offset) => from + offset),
    )
    const seen = newStore()
    expect(open(cookie, seen).kind).toBe('session')
    fc.assert(
      fc.property(fc.constantFrom(...positions), fc.integer({ min: 0, max: 6 }), (at, bit) => {
        const flipped = String.fromCharCode(cookie.charCodeAt(at) ^ (1 << bit))
        const changed = cookie.slice(0, at) + flipped + cookie.slice(at + 1)
        expect(open(changed, seen).kind).toBe('invalid')
      }),
      { numRuns: 400 },
    )
    expect(open(cookie, seen).kind).toBe('session')
  })

  it('is none, and no failure, for whatever else a Cookie header holds', () => {
    const name = cookieOf(sessionOf('access', 'id')).split('0=')[0]!
    const pair = fc
      .tuple(fc.integer({ min: 0, max: 10 }), fc.string({ unit: 'binary-ascii' }))
      .map(([index, value]) => `${name}${index}=${value}`)
    fc.assert(
      fc.property(fc.array(fc.oneof(pair, fc.string({ unit: 'binary-ascii' }))), (pairs) => {
        expect(open(pairs.join('; ')).kind).not.toBe('session')
      }),
      { numRuns: 300 },
    )
  })
})

describe('cookieValues', () => {
  it('finds what splitting at semicolons finds', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '=', ';', ' ', '"', ',', '\t') })
    fc.assert(
      fc.property(text, (header) => {
        const expected = header
          .split(';')
          .map((pair) => pair.replace(/^[ \t]+/, ''))
          .filter((pair) => pair.startsWith('a='))
          .map((pair) => pair.slice(2).trim())
        expect(cookieValues(header, 'a')).toEqual(expected)
      }),
      { numRuns: 1000 },
    )
  })
})
