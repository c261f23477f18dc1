import { beforeAll, describe, expect, test } from 'vitest'
import { aPolicy, OWN_CLIENT } from '../support/a-policy.ts'
import {
  aSession,
  Harness,
  NAVIGATION,
  outcome,
  someFacts,
  upstreamHeaders,
} from '../support/authorizer-harness.ts'
import { DOWN } from '../support/fake-authorization-server-client.ts'
import { Signer } from '../support/signed-tokens.ts'
import type { Policy } from '../../src/table/policy.ts'
import type { Session } from '../../src/auth/session/session.ts'

let signer: Signer

beforeAll(async () => {
  signer = await Signer.create('k1')
})

const RECENT = { verification: { ...aPolicy().verification, maximumAgeSeconds: 300 } }

function harness(overrides: Partial<Policy> = {}, session?: Partial<Session>): Harness {
  const made = new Harness([aPolicy(overrides)])
  made.serveKeys(signer)
  if (session !== undefined) {
    made.relyingParty.sessions.set(aPolicy().session.realm, {
      kind: 'session',
      session: aSession(session),
      setCookies: [],
    })
  }
  return made
}

describe('maxAge', () => {
  test('refuses a token of a sign-in too long ago, also one that was seen before, and says how recent', async () => {
    const made = harness(RECENT)
    const now = made.clock.now() / 1000
    const token = await signer.token(made.clock.now(), { auth_time: now - 299 })
    expect(outcome(await made.askBearer(token))).toBe('allow')
    made.clock.advance(2_000)
    const decision = await made.askBearer(token)
    expect(outcome(decision)).toBe('401 authentication_too_old')
    expect(decision).toMatchObject({
      wwwAuthenticate: [expect.stringMatching(/error="insufficient_user_authentication".*max_age="300"$/)],
    })
  })

  test.each([
    [undefined, 'allow'],
    ['soon', '401 invalid_token'],
  ])('a token whose auth_time is %j: %s', async (auth_time, expected) => {
    const made = harness(RECENT)
    expect(outcome(await made.askBearer(await signer.token(made.clock.now(), { auth_time })))).toBe(expected)
  })

  test('holds for introspection answers, however long they may be kept', async () => {
    const made = harness({ ...RECENT, methods: ['introspection'], client: OWN_CLIENT })
    const auth_time = made.clock.now() / 1000
    made.servers.onIntrospect = () => ({ ok: true, value: { active: true, claims: { sub: 'a', auth_time } } })
    expect(outcome(await made.askBearer('opaque'))).toBe('allow')
    made.clock.advance(300_000)
    expect(outcome(await made.askBearer('opaque'))).toBe('allow')
    made.clock.advance(1_000)
    expect(outcome(await made.askBearer('opaque'))).toBe('401 authentication_too_old')
  })

  test('starts a new login for an old session, and for one that does not say how old it is', async () => {
    const facts = someFacts({ ...NAVIGATION, cookie: 'a=b' })
    const methods = ['session', 'authorization_code'] as const
    const fresh = harness({ ...RECENT, methods }, {})
    const now = fresh.clock.now() / 1000
    for (const [idTokenClaims, expected] of [
      [{ auth_time: now - 300 }, 'allow'],
      [{ auth_time: now - 301 }, 'redirect login'],
      [{ auth_time: 'never' }, 'redirect login'],
      [{}, 'redirect login'],
    ] as const) {
      expect(outcome(await harness({ ...RECENT, methods }, { idTokenClaims }).ask(facts))).toBe(expected)
    }
  })
})

describe('reverify', () => {
  const methods = ['session', 'authorization_code'] as const
  const facts = someFacts({ ...NAVIGATION, cookie: 'a=b' })

  test('judges the session’s access token as if it were sent', async () => {
    const made = harness({ methods, reverifiesSessions: true })
    const good = await signer.token(made.clock.now())
    const foreign = await signer.token(made.clock.now(), { aud: 'api://other' })
    const realm = aPolicy().session.realm
    const use = (accessToken: string): void =>
      void made.relyingParty.sessions.set(realm, {
        kind: 'session',
        session: aSession({ accessToken, idTokenClaims: { sub: '00u1' } }),
        setCookies: [],
      })
    use(good)
    expect(upstreamHeaders(await made.ask(facts))['authorization']).toBe(`Bearer ${good}`)
    use(foreign)
    expect(outcome(await made.ask(facts))).toBe('redirect login')
    use('no token at all')
    expect(outcome(await made.ask(facts))).toBe('redirect login')
  })

  test('sees a revoked token where introspection is on, and decides nothing while nobody answers', async () => {
    const introspection = { ...aPolicy().introspection, introspectJwtTokens: true, cache: false }
    const made = harness(
      { methods: [...methods, 'introspection'], client: OWN_CLIENT, introspection, reverifiesSessions: true },
      { accessToken: 'opaque' },
    )
    made.servers.onIntrospect = () => ({ ok: true, value: { active: true, claims: { sub: 'a' } } })
    expect(outcome(await made.ask(facts))).toBe('allow')
    made.servers.onIntrospect = () => ({ ok: true, value: { active: false, claims: {} } })
    expect(outcome(await made.ask(facts))).toBe('redirect login')
    made.servers.onIntrospect = () => DOWN
    expect(outcome(await made.ask(facts))).toBe('unavailable authorization_server_unavailable')
  })

  test('is not done unasked', async () => {
    const made = harness({ methods }, { accessToken: 'opaque' })
    expect(outcome(await made.ask(facts))).toBe('allow')
    expect(made.servers.keyCalls).toEqual([])
  })
})
