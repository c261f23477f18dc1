import { beforeAll, describe, expect, test } from 'vitest'
import type { Policy } from '../../../src/table/policy.ts'
import { aPolicy, OWN_CLIENT } from '../../support/a-policy.ts'
import { aSession, Harness, outcome, someFacts, upstreamHeaders } from '../../support/authorizer-harness.ts'
import { DOWN } from '../../support/fake-authorization-server-client.ts'
import { Signer } from '../../support/signed-tokens.ts'

let signer: Signer

beforeAll(async () => {
  signer = await Signer.create('k1')
})

const REQUIREMENTS = { groups: { claim: ['team'], anyOf: [['blue']] } }
const REFUSED = { ok: false, kind: 'refused', error: 'invalid_token' } as const

function harness(overrides: Partial<Policy> = {}): Harness {
  const made = new Harness([aPolicy({ userInfo: { cache: true }, requirements: REQUIREMENTS, ...overrides })])
  made.serveKeys(signer)
  made.servers.onUserInfo = () => ({ ok: true, value: { sub: '00u1', team: ['blue'], groups: ['none'] } })
  return made
}

function token(made: Harness, claims = {}): Promise<string> {
  return signer.token(made.clock.now(), claims)
}

describe('searchUserInfo', () => {
  test('fills in what the token does not say, and nothing that it does', async () => {
    const made = harness({
      upstreamHeaders: [
        { header: 'x-team', path: ['team'] },
        { header: 'x-groups', path: ['groups'] },
      ],
      userInfoHeader: 'x-userinfo',
    })
    const access = await token(made)
    const headers = upstreamHeaders(await made.askBearer(access))
    expect(headers).toMatchObject({ 'x-team': 'blue', 'x-groups': 'Everyone, Engineering' })
    expect(JSON.parse(Buffer.from(headers['x-userinfo'] ?? '', 'base64').toString())).toEqual({
      sub: '00u1',
      team: ['blue'],
      groups: ['none'],
    })
    expect(made.servers.userInfoCalls).toEqual([access])
  })

  test('is not asked about a token that is no good', async () => {
    const made = harness()
    await made.askBearer(await token(made, { exp: 1 }))
    expect(made.servers.userInfoCalls).toEqual([])
  })

  test('a server that refuses adds nothing; one that is down decides nothing', async () => {
    const made = harness()
    made.servers.onUserInfo = () => REFUSED
    expect(outcome(await made.askBearer(await token(made)))).toBe('403 missing_group')
    made.servers.onUserInfo = () => DOWN
    const another = await token(made, { jti: 'another' })
    expect(outcome(await made.askBearer(another))).toBe('unavailable authorization_server_unavailable')
    const open = harness({ requirements: {} })
    open.servers.onUserInfo = () => REFUSED
    expect(outcome(await open.askBearer(await token(open)))).toBe('allow')
  })

  test('asks once for all who wait, and again when its answer is too old', async () => {
    const made = harness({ cache: { ttlSeconds: 60, negativeTtlSeconds: 5 } })
    const access = await token(made)
    await Promise.all(Array.from({ length: 20 }, () => made.askBearer(access)))
    expect(made.servers.userInfoCalls).toHaveLength(1)
    expect(made.ask(someFacts({ authorization: `Bearer ${access}` }))).not.toBeInstanceOf(Promise)
    made.servers.onUserInfo = () => ({ ok: true, value: { sub: '00u1', team: ['red'] } })
    made.clock.advance(59_999)
    expect(outcome(await made.askBearer(access))).toBe('allow')
    made.clock.advance(1)
    expect(outcome(await made.askBearer(access))).toBe('403 missing_group')
  })

  test('keeps nothing past the token, and nothing at all where told so', async () => {
    const made = harness()
    const brief = await token(made, { exp: made.clock.now() / 1000 + 10 })
    expect(outcome(await made.askBearer(brief))).toBe('allow')
    made.clock.advance(10_000)
    expect(outcome(await made.askBearer(brief))).toBe('401 expired_token')
    const uncached = harness({ userInfo: { cache: false } })
    const access = await token(uncached)
    await uncached.askBearer(access)
    await uncached.askBearer(access)
    expect(uncached.servers.userInfoCalls).toHaveLength(2)
  })

  test('keeps a refusal for seconds', async () => {
    const made = harness()
    made.servers.onUserInfo = () => REFUSED
    const access = await token(made)
    await made.askBearer(access)
    made.clock.advance(4_999)
    await made.askBearer(access)
    expect(made.servers.userInfoCalls).toHaveLength(1)
    made.clock.advance(1)
    await made.askBearer(access)
    expect(made.servers.userInfoCalls).toHaveLength(2)
  })

  test('an edited policy asks anew', async () => {
    const made = harness()
    const access = await token(made)
    await made.askBearer(access)
    const [policy] = Object.values(made.table.policies)
    made.publish({ policies: { 'default/oidc': { ...(policy as Policy), revision: 'uid-2' } } })
    await made.askBearer(access)
    expect(made.servers.userInfoCalls).toHaveLength(2)
  })

  test('of another person than the ID token’s means nothing (OpenID Connect Core §5.3.2)', async () => {
    const made = harness({ methods: ['session'] })
    const realm = aPolicy().session.realm
    const session = aSession({ idTokenClaims: { sub: '00u1' } })
    made.relyingParty.sessions.set(realm, { kind: 'session', session, setCookies: [] })
    expect(outcome(await made.ask(someFacts({ cookie: 'a=b' })))).toBe('allow')
    const swapped = aSession({ idTokenClaims: { sub: '00u2' } })
    made.relyingParty.sessions.set(realm, { kind: 'session', session: swapped, setCookies: [] })
    expect(outcome(await made.ask(someFacts({ cookie: 'a=b' })))).toBe('403 missing_group')
  })
})

describe('headers of the credential', () => {
  test('the introspection answer goes upstream as JSON in base64', async () => {
    const made = harness({
      methods: ['introspection'],
      client: OWN_CLIENT,
      requirements: {},
      introspectionHeader: 'x-introspection',
    })
    made.servers.onIntrospect = () => ({ ok: true, value: { active: true, claims: { sub: 'é\r\n' } } })
    const headers = upstreamHeaders(await made.askBearer('opaque'))
    expect(JSON.parse(Buffer.from(headers['x-introspection'] ?? '', 'base64').toString())).toEqual({
      active: true,
      sub: 'é\r\n',
    })
  })

  test('the ID token goes upstream from sessions alone, and no client can send one', async () => {
    const made = harness({
      methods: ['session', 'bearer'],
      requirements: {},
      idTokenHeader: 'x-my-id-token',
    })
    const session = aSession({ idToken: 'a.b.c', idTokenClaims: { sub: '00u1' } })
    made.relyingParty.sessions.set(aPolicy().session.realm, { kind: 'session', session, setCookies: [] })
    const withSession = await made.ask(someFacts({ cookie: 'a=b', 'x-my-id-token': 'forged' }))
    expect(upstreamHeaders(withSession)['x-my-id-token']).toBe('a.b.c')
    const withToken = await made.askBearer(await token(made), { 'x-my-id-token': 'forged' })
    expect(upstreamHeaders(withToken)).not.toHaveProperty('x-my-id-token')
    expect(withToken).toMatchObject({ removeHeaders: expect.arrayContaining(['x-my-id-token']) })
  })
})
