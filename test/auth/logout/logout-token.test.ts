import { describe, expect, test } from 'vitest'
import { judgeLogoutToken } from '../../../src/auth/logout/logout-token.ts'
import { KeyRings } from '../../../src/auth/resource-server/key-ring.ts'
import { aPolicy, ISSUER, OWN_CLIENT } from '../../support/a-policy.ts'
import { FakeAuthorizationServerClient } from '../../support/fake-authorization-server-client.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { base64url, Signer } from '../../support/signed-tokens.ts'

const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} }
const clock = new ManualClock(1_700_000_000_000)
const NOW = clock.now() / 1000
const signer = await Signer.create('k1')
const POLICY = aPolicy({ client: OWN_CLIENT })

const CLAIMS = {
  iss: ISSUER,
  aud: 'ostiary',
  iat: NOW,
  exp: NOW + 120,
  jti: 'jti-1',
  events: EVENTS,
  sub: '00u1',
}

function issuersOf(...keys: readonly Signer[]): { rings: KeyRings; client: FakeAuthorizationServerClient } {
  const client = new FakeAuthorizationServerClient()
  const jwks = keys.map((each) => ({ ...each.publicJwk }))
  client.onKeys = () => ({ ok: true, value: { keys: jwks, fetchedAtMs: clock.now() } })
  return { rings: new KeyRings(client, clock), client }
}

async function judge(
  changes: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = { typ: 'logout+jwt' },
  policies = [POLICY],
) {
  const token = await signer.sign(JSON.stringify({ ...CLAIMS, ...changes }), header)
  return judgeLogoutToken(token, policies, issuersOf(signer), NOW)
}

describe('a logout token holds', () => {
  test('with a sub: all sessions of the user are meant', async () => {
    expect(await judge()).toMatchObject({ ok: true, jti: 'jti-1', subject: { sub: '00u1' } })
  })

  test('with a sid: that login alone is meant, also beside a sub', async () => {
    expect(await judge({ sid: 's1' })).toMatchObject({ ok: true, subject: { sid: 's1' } })
    expect(await judge({ sid: 's1', sub: undefined })).toMatchObject({ ok: true, subject: { sid: 's1' } })
  })

  test.each([
    ['no typ', {}, {}],
    ['typ JWT', {}, { typ: 'JWT' }],
    ['the long form of its typ', {}, { typ: 'application/logout+jwt' }],
    ['no exp, as older servers send it', { exp: undefined }, {}],
    ['several audiences', { aud: ['other', 'ostiary'] }, {}],
    ["the issuer's other spelling", { iss: `${ISSUER}/` }, {}],
    ['an iat as old as five minutes', { iat: NOW - 300 }, {}],
  ])('with %s', async (_name, changes, header) => {
    expect(await judge(changes, header)).toMatchObject({ ok: true })
  })

  test('for every policy of its client, and no other', async () => {
    const twin = aPolicy({ id: 'default/twin', client: OWN_CLIENT })
    const stranger = aPolicy({ id: 'default/stranger', client: { ...OWN_CLIENT, id: 'other' } })
    const judged = await judge({}, {}, [stranger, POLICY, twin])
    expect(judged.ok && judged.policies.map(({ id }) => id)).toEqual([POLICY.id, twin.id])
  })
})

describe('a logout token is refused', () => {
  test.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['without issuer', { iss: undefined }],
    ['for another client', { aud: 'other' }],
    ['for a client that is a part of the audience as text', { aud: 'not ostiary' }],
    ['without audience', { aud: undefined }],
    ['without iat', { iat: undefined }],
    ['with an iat that is no number', { iat: 'today' }],
    ['that is six minutes old', { iat: NOW - 301 }],
    ['from the future', { iat: NOW + 61 }],
    ['that has expired', { exp: NOW }],
    ['with an exp that is no number', { exp: 'never' }],
    ['without events: an ID token, say', { events: undefined }],
    ['with another event', { events: { 'http://schemas.openid.net/event/other': {} } }],
    ['with its event as text', { events: 'http://schemas.openid.net/event/backchannel-logout' }],
    ['with its event in a list', { events: ['http://schemas.openid.net/event/backchannel-logout'] }],
    ['with an event that is no object', { events: { [Object.keys(EVENTS)[0]!]: true } }],
    ['with an event that is null', { events: { [Object.keys(EVENTS)[0]!]: null } }],
    ['with a nonce: an ID token', { nonce: 'n' }],
    ['with an empty nonce', { nonce: '' }],
    ['with a null nonce', { nonce: null }],
    ['without jti', { jti: undefined }],
    ['with an empty jti', { jti: '' }],
    ['with a jti that is no text', { jti: { a: 1 } }],
    ['without sub and sid', { sub: undefined }],
    ['with a sub that is no text', { sub: ['00u1'] }],
  ])('%s', async (_name, changes) => {
    expect(await judge(changes)).toMatchObject({ ok: false })
  })

  test.each<[string, Record<string, unknown>]>([
    ['an access token', { typ: 'at+jwt' }],
    ['of no kind that can be read', { typ: 1 }],
    ['with extensions that must be understood', { crit: ['exp'], exp: 1 }],
    ['under a key that nobody knows', { kid: 'k2' }],
  ])('%s', async (_name, header) => {
    expect(await judge({}, header)).toMatchObject({ ok: false })
  })

  test('signed by somebody else under the same key id', async () => {
    const other = await Signer.create('k1')
    const token = await other.sign(JSON.stringify(CLAIMS))
    expect(await judgeLogoutToken(token, [POLICY], issuersOf(signer), NOW)).toMatchObject({ ok: false })
  })

  test('with a changed payload, without a signature, or with alg none or HS256', async () => {
    const token = await signer.sign(JSON.stringify(CLAIMS))
    const [header = '', , signature = ''] = token.split('.')
    const changed = base64url({ ...CLAIMS, sub: 'everybody' })
    for (const forged of [
      `${header}.${changed}.${signature}`,
      `${header}.${changed}.`,
      `${base64url({ alg: 'none' })}.${changed}.`,
      `${base64url({ alg: 'HS256', kid: 'k1' })}.${changed}.${signature}`,
      `${base64url({ alg: 'ES256', kid: 'k1', jwk: signer.publicJwk })}.${changed}.${signature}`,
    ]) {
      expect(await judgeLogoutToken(forged, [POLICY], issuersOf(signer), NOW)).toMatchObject({
        ok: false,
      })
    }
  })

  test('that is no JWT, is ambiguous or huge, without any key being asked for', async () => {
    const issuers = issuersOf(signer)
    const twice = `{"iss":"${ISSUER}","aud":"ostiary","aud":"other"}`
    for (const text of ['', 'a.b', 'a.b.c', 'x'.repeat(100_000), await signer.sign(twice)]) {
      expect(await judgeLogoutToken(text, [POLICY], issuers, NOW)).toMatchObject({ ok: false })
    }
    expect(issuers.client.keyCalls).toEqual([])
  })

  test('while the keys of its issuer cannot be had', async () => {
    const token = await signer.sign(JSON.stringify(CLAIMS))
    const client = new FakeAuthorizationServerClient()
    const issuers = { rings: new KeyRings(client, clock), client }
    expect(await judgeLogoutToken(token, [POLICY], issuers, NOW)).toMatchObject({ ok: false })
  })

  test('in words that hold nothing of it', async () => {
    const judged = await judge({ jti: undefined, sub: 'secret-subject', sid: 'secret-sid' })
    expect(JSON.stringify(judged)).not.toContain('secret')
  })

  test('signed with another algorithm than the issuer signs ID tokens with, under a key that it publishes', async () => {
    const issuers = issuersOf(signer)
    const metadata = { issuer: ISSUER, codeChallengeMethods: [], issParameterSupported: false }
    const token = await signer.sign(JSON.stringify(CLAIMS))
    issuers.client.metadata = async () => ({ ok: true, value: { ...metadata, idTokenAlgorithms: ['RS256'] } })
    expect(await judgeLogoutToken(token, [POLICY], issuers, NOW)).toMatchObject({ ok: false })
    issuers.client.metadata = async () => ({ ok: true, value: { ...metadata, idTokenAlgorithms: ['ES256'] } })
    expect(await judgeLogoutToken(token, [POLICY], issuers, NOW)).toMatchObject({ ok: true })
  })
})

test('a key that one policy trusts ends no session of another that names the same issuer and client', async () => {
  const planted = await Signer.create('planted')
  const issuers = issuersOf(signer)
  const theirs = { ...POLICY.server, id: 'theirs', jwksEndpoint: 'https://evil.example/keys' }
  const fetchedAtMs = clock.now()
  issuers.client.onKeys = ({ id }) => ({
    ok: true,
    value: { keys: [{ ...(id === 'theirs' ? planted : signer).publicJwk }], fetchedAtMs },
  })
  const evil = aPolicy({ id: 'evil/plugin', client: OWN_CLIENT, server: theirs })
  const token = await planted.sign(JSON.stringify(CLAIMS))
  const judged = await judgeLogoutToken(token, [evil, POLICY], issuers, NOW)
  expect(judged.ok && judged.policies.map(({ id }) => id)).toEqual(['evil/plugin'])
})

test('the issuers of access tokens that a policy allows are none of logout tokens, whose own stays', async () => {
  const adfs = 'http://adfs.example.com/adfs/services/trust'
  const policy = aPolicy({ client: OWN_CLIENT, verification: { ...POLICY.verification, issuers: [adfs] } })
  expect(await judge({}, {}, [policy])).toMatchObject({ ok: true })
  expect(await judge({ iss: adfs }, {}, [policy])).toMatchObject({ ok: false })
})
