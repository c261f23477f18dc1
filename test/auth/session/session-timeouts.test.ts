import { describe, expect, it } from 'vitest'
import { afterUse, hasEnded } from '../../../src/auth/session/session-timeouts.ts'
import type { Session } from '../../../src/auth/session/session.ts'
import type { SessionPolicy } from '../../../src/table/policy.ts'
import { policyOf } from '../relying-party/login-fixture.ts'

const T0 = 1_000_000

function sessionAt(changes: Partial<Session> = {}): Session {
  return {
    id: 'session-1',
    accessToken: 'token',
    accessTokenClaims: {},
    idTokenClaims: {},
    tokensIssuedAtSeconds: T0,
    createdAtSeconds: T0,
    renewedAtSeconds: T0,
    lastSeenAtSeconds: T0,
    ...changes,
  }
}

/** All timeouts off but those given. */
function only(timeouts: Partial<SessionPolicy>): SessionPolicy {
  const off = { rollingTimeoutSeconds: 0, idlingTimeoutSeconds: 0, absoluteTimeoutSeconds: 0 }
  return policyOf({ session: { ...off, ...timeouts } }).session
}

describe('hasEnded', () => {
  it.each<[string, SessionPolicy, Session]>([
    [
      'absolute timeout',
      only({ absoluteTimeoutSeconds: 100 }),
      sessionAt({ lastSeenAtSeconds: T0 + 99, renewedAtSeconds: T0 + 99 }),
    ],
    ['rolling timeout', only({ rollingTimeoutSeconds: 100 }), sessionAt({ lastSeenAtSeconds: T0 + 99 })],
    ['idling timeout', only({ idlingTimeoutSeconds: 100 }), sessionAt()],
    ['access token', only({}), sessionAt({ accessTokenExpiresAtSeconds: T0 + 100 })],
  ])('ends it with its %s, to the second', (_, policy, session) => {
    expect(hasEnded(session, policy, T0 + 99)).toBe(false)
    expect(hasEnded(session, policy, T0 + 100)).toBe(true)
  })

  it('never ends it while every timeout is 0 and the token has no expiry', () => {
    expect(hasEnded(sessionAt(), only({}), T0 + 10 ** 9)).toBe(false)
  })
})

describe('afterUse', () => {
  it('notes a use once a minute', () => {
    const policy = only({ idlingTimeoutSeconds: 900 })
    expect(afterUse(sessionAt(), policy, T0 + 59)).toBeUndefined()
    expect(afterUse(sessionAt(), policy, T0 + 60)).toMatchObject({
      lastSeenAtSeconds: T0 + 60,
      renewedAtSeconds: T0,
      createdAtSeconds: T0,
    })
  })

  it('notes it every quarter of a shorter idling timeout', () => {
    const policy = only({ idlingTimeoutSeconds: 40 })
    expect(afterUse(sessionAt(), policy, T0 + 9)).toBeUndefined()
    expect(afterUse(sessionAt(), policy, T0 + 10)).toMatchObject({ lastSeenAtSeconds: T0 + 10 })
  })

  it('renews it in the last quarter of the rolling timeout', () => {
    const policy = only({ rollingTimeoutSeconds: 3600 })
    expect(afterUse(sessionAt(), policy, T0 + 2699)).toBeUndefined()
    expect(afterUse(sessionAt(), policy, T0 + 2700)).toMatchObject({
      renewedAtSeconds: T0 + 2700,
      createdAtSeconds: T0,
    })
  })

  it('writes nothing where both are off', () => {
    expect(afterUse(sessionAt(), only({ absoluteTimeoutSeconds: 86_400 }), T0 + 80_000)).toBeUndefined()
  })
})
