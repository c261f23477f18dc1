import { createHmac } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Policy } from '../../../src/table/policy.ts'
import { aPolicy, ISSUER } from '../../support/a-policy.ts'
import { Harness, outcome, someFacts, upstreamHeaders } from '../../support/authorizer-harness.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { base64url, oktaClaims, Signer } from '../../support/signed-tokens.ts'

const NOW = new ManualClock().now()
const SECOND = 1000
let signer: Signer
let stranger: Signer

beforeAll(async () => {
  signer = await Signer.create('k1')
  stranger = await Signer.create('k1')
})

function harness(overrides: Partial<Policy> = {}): Harness {
  const made = new Harness([aPolicy(overrides)])
  made.serveKeys(signer)
  return made
}

async function outcomeOf(token: string, overrides: Partial<Policy> = {}): Promise<string> {
  return outcome(await harness(overrides).askBearer(token))
}

describe('a good token', () => {
  test('passes, with its subject, and goes upstream', async () => {
    const token = await signer.token(NOW)
    const decision = await harness().askBearer(token)
    expect(decision).toMatchObject({
      kind: 'allow',
      identity: { policy: 'default/oidc', method: 'bearer', subject: 'alice@example.com', groups: [] },
    })
    expect(upstreamHeaders(decision)).toEqual({
      authorization: `Bearer ${token}`,
      'x-credential-identifier': 'alice@example.com',
    })
  })

  test.each(['RS256', 'PS384', 'ES384', 'EdDSA'])('is taken under %s', async (alg) => {
    const other = await Signer.create('k2', alg)
    const made = harness()
    made.serveKeys(signer, other)
    expect(outcome(await made.askBearer(await other.token(NOW)))).toBe('allow')
  })

  test.each([
    ['the type of RFC 9068', {}, { typ: 'at+jwt' }],
    ['a general type', {}, { typ: 'JWT' }],
    ['a slash after the issuer', { iss: `${ISSUER}/` }, {}],
    ['several audiences', { aud: ['other', 'api://default'] }, {}],
    ['times as strings', { exp: String(NOW / SECOND + 60), iat: String(NOW / SECOND) }, {}],
    ['no kid', {}, { kid: undefined }],
  ])('may have %s', async (_name, claims, header) => {
    expect(await outcomeOf(await signer.token(NOW, claims, header))).toBe('allow')
  })

  test('without kid is tried against every key that fits', async () => {
    const other = await Signer.create('k2')
    const made = harness()
    made.serveKeys(stranger, other)
    expect(outcome(await made.askBearer(await other.token(NOW, {}, { kid: undefined })))).toBe('allow')
    expect(outcome(await made.askBearer(await signer.token(NOW, {}, { kid: undefined })))).toBe(
      '401 invalid_token',
    )
  })

  test('seen before is decided on at once, and without the authorization server', async () => {
    const made = harness()
    const token = await signer.token(NOW)
    const first = await made.askBearer(token)
    const calls = made.servers.keyCalls.length
    const second = made.ask(someFacts({ authorization: `Bearer ${token}` }))
    expect(second).not.toBeInstanceOf(Promise)
    expect(second).toBe(first)
    expect(made.servers.keyCalls).toHaveLength(calls)
  })

  test.each(['bearer', 'BEARER', 'Bearer'])('may come under the scheme %s', async (scheme) => {
    const decision = await harness().ask(
      someFacts({ authorization: `${scheme}  ${await signer.token(NOW)}` }),
    )
    expect(outcome(decision)).toBe('allow')
  })
})

describe('times', () => {
  test.each([
    ['expired a second ago', { exp: NOW / SECOND - 1 }, '401 expired_token'],
    ['expiring now', { exp: NOW / SECOND }, '401 expired_token'],
    ['expired, as a string', { exp: String(NOW / SECOND - 1) }, '401 expired_token'],
    ['without expiry', { exp: undefined }, '401 invalid_token'],
    ['with an expiry that is no number', { exp: 'never' }, '401 invalid_token'],
    ['with an expiry in an array', { exp: [9_999_999_999] }, '401 invalid_token'],
    ['valid from a second on', { nbf: NOW / SECOND + 1 }, '401 invalid_token'],
    ['with nbf that is no number', { nbf: {} }, '401 invalid_token'],
    ['issued an hour ahead', { iat: NOW / SECOND + 3600 }, '401 invalid_token'],
    ['issued by a clock seconds ahead', { iat: NOW / SECOND + 5 }, 'allow'],
  ])('a token %s', async (_name, claims, expected) => {
    expect(await outcomeOf(await signer.token(NOW, claims))).toBe(expected)
  })

  test('leeway forgives skew on both sides, no more', async () => {
    const verification = { ...aPolicy().verification, leewaySeconds: 10 }
    const ask = async (claims: object): Promise<string> =>
      await outcomeOf(await signer.token(NOW, { ...claims }), { verification })
    expect(await ask({ exp: NOW / SECOND - 9 })).toBe('allow')
    expect(await ask({ exp: NOW / SECOND - 10 })).toBe('401 expired_token')
    expect(await ask({ nbf: NOW / SECOND + 10 })).toBe('allow')
    expect(await ask({ nbf: NOW / SECOND + 11 })).toBe('401 invalid_token')
  })

  test('a token seen before ends with its expiry', async () => {
    const made = harness()
    const token = await signer.token(NOW, { exp: NOW / SECOND + 60 })
    expect(outcome(await made.askBearer(token))).toBe('allow')
    made.clock.advance(59_999)
    expect(outcome(await made.askBearer(token))).toBe('allow')
    made.clock.advance(1)
    expect(outcome(await made.askBearer(token))).toBe('401 expired_token')
  })
})

describe('forged and foreign tokens', () => {
  const unsigned = (header: object, claims: object = oktaClaims(NOW)): string =>
    `${base64url(header)}.${base64url(claims)}.`

  test.each([
    ['alg none', () => unsigned({ alg: 'none', kid: 'k1' }), '401 invalid_token'],
    ['alg None', () => unsigned({ alg: 'None', kid: 'k1' }), '401 invalid_token'],
    ['no alg', () => unsigned({ kid: 'k1' }), '401 invalid_token'],
    ['an empty signature', () => unsigned({ alg: 'ES256', kid: 'k1' }), '401 invalid_token'],
    ['a stranger’s signature', async () => await stranger.token(NOW), '401 invalid_token'],
    [
      'another issuer',
      async () => await signer.token(NOW, { iss: 'https://evil.example' }),
      '401 wrong_issuer',
    ],
    ['a longer issuer', async () => await signer.token(NOW, { iss: `${ISSUER}/x` }), '401 wrong_issuer'],
    ['no issuer', async () => await signer.token(NOW, { iss: undefined }), '401 wrong_issuer'],
    ['another audience', async () => await signer.token(NOW, { aud: 'api://other' }), '401 wrong_audience'],
    ['no audience', async () => await signer.token(NOW, { aud: undefined }), '401 wrong_audience'],
    [
      'an audience in words',
      async () => await signer.token(NOW, { aud: 'x api://default' }),
      '401 wrong_audience',
    ],
    ['an unknown key', async () => await signer.token(NOW, {}, { kid: 'other' }), '401 unknown_key'],
    [
      'a path as key id',
      async () => await signer.token(NOW, {}, { kid: '../../dev/null' }),
      '401 unknown_key',
    ],
    ['a key id that is no text', async () => await signer.token(NOW, {}, { kid: 7 }), '401 invalid_token'],
    [
      'a very long key id',
      async () => await signer.token(NOW, {}, { kid: 'k'.repeat(600) }),
      '401 invalid_token',
    ],
    ['crit', async () => await signer.token(NOW, {}, { crit: ['x'], x: 1 }), '401 invalid_token'],
    ['crit b64', async () => await signer.token(NOW, {}, { crit: ['b64'], b64: true }), '401 invalid_token'],
    [
      'an embedded key',
      async () => await stranger.token(NOW, {}, { jwk: stranger.publicJwk }),
      '401 invalid_token',
    ],
    [
      'a key’s address',
      async () => await stranger.token(NOW, {}, { jku: 'https://evil.example' }),
      '401 invalid_token',
    ],
    ['an ID token', async () => await signer.token(NOW, { nonce: 'n' }), '401 invalid_token'],
    ['an ID token without nonce', async () => await signer.token(NOW, { at_hash: 'h' }), '401 invalid_token'],
    ['Cognito’s ID token', async () => await signer.token(NOW, { token_use: 'id' }), '401 invalid_token'],
    [
      'Keycloak’s refresh token',
      async () => await signer.token(NOW, { typ: 'Refresh' }),
      '401 invalid_token',
    ],
    ['a logout token', async () => await signer.token(NOW, { events: {} }), '401 invalid_token'],
    [
      'a logout token by type',
      async () => await signer.token(NOW, {}, { typ: 'logout+jwt' }),
      '401 invalid_token',
    ],
    ['a DPoP-bound token', async () => await signer.token(NOW, { cnf: { jkt: 'x' } }), '401 invalid_token'],
    ['a DPoP proof', async () => await signer.token(NOW, {}, { typ: 'dpop+jwt' }), '401 invalid_token'],
    [
      'a type that is no text',
      async () => await signer.token(NOW, {}, { typ: ['JWT'] }),
      '401 invalid_token',
    ],
    ['claims that are a list', async () => await signer.sign('[]'), '401 invalid_token'],
    ['claims that are no JSON', async () => await signer.sign('{'), '401 invalid_token'],
    ['no JWT at all', () => 'opaque', '401 invalid_token'],
    ['two parts', () => 'a.b', '401 invalid_token'],
    ['nothing', () => '', '401 invalid_token'],
    ['a space inside', () => 'a b', '401 invalid_token'],
    ['a control character', () => 'a\u0001b', '401 invalid_token'],
    ['a megabyte', () => 'a'.repeat(1024 * 1024), '401 too_large'],
    [
      'a megabyte of JWT',
      async () => await signer.token(NOW, { x: 'a'.repeat(1024 * 1024) }),
      '401 too_large',
    ],
  ])('with %s are refused', async (_name, make, expected) => {
    expect(await outcomeOf(await make())).toBe(expected)
  })

  test('the public key is no HMAC secret', async () => {
    const rsa = await Signer.create('r1', 'RS256')
    const made = harness()
    made.serveKeys(rsa)
    const input = `${base64url({ alg: 'HS256', kid: 'r1' })}.${base64url(oktaClaims(NOW))}`
    for (const secret of [JSON.stringify(rsa.publicJwk), rsa.publicJwk.n ?? '']) {
      const signature = createHmac('sha256', secret).update(input).digest('base64url')
      expect(outcome(await made.askBearer(`${input}.${signature}`))).toBe('401 invalid_token')
    }
  })

  test('a symmetric key in the set verifies nothing', async () => {
    const made = harness()
    const k = Buffer.from('everyone can read this secret key').toString('base64url')
    const keys = [{ kty: 'oct', kid: 'o1', alg: 'HS256', k }]
    made.servers.onKeys = () => ({ ok: true, value: { keys, fetchedAtMs: 0 } })
    const input = `${base64url({ alg: 'HS256', kid: 'o1' })}.${base64url(oktaClaims(NOW))}`
    const signature = createHmac('sha256', Buffer.from(k, 'base64url')).update(input).digest('base64url')
    expect(outcome(await made.askBearer(`${input}.${signature}`))).toBe('401 invalid_token')
  })

  test.each([
    ['claims', (text: string) => text.replace('{', '{"sub":"root",')],
    ['an escaped name', (text: string) => text.replace('{', '{"s\\u0075b":"root",')],
    ['nested claims', (text: string) => text.replace('{', '{"a":{"b":1,"b":2},')],
  ])('duplicate %s are refused although signed', async (_name, edit) => {
    const token = await signer.sign(edit(JSON.stringify(oktaClaims(NOW))))
    expect(await outcomeOf(token)).toBe('401 invalid_token')
  })

  test('one changed bit of a token seen before is refused', async () => {
    const made = harness()
    const token = await signer.token(NOW)
    expect(outcome(await made.askBearer(token))).toBe('allow')
    const [header, , signature] = token.split('.')
    const claims = base64url({ ...oktaClaims(NOW), sub: 'root' })
    expect(outcome(await made.askBearer(`${header}.${claims}.${signature}`))).toBe('401 invalid_token')
  })

  test('a refusal tells nothing of the token and names the protocol’s error', async () => {
    const token = await stranger.token(NOW)
    const decision = await harness().askBearer(token)
    expect(decision).toMatchObject({ status: 401, message: 'Unauthorized' })
    const text = JSON.stringify(decision)
    expect(text).toContain(
      'Bearer realm=\\"app.example.com\\", error=\\"invalid_token\\", error_description=',
    )
    expect(text).not.toContain(token.slice(0, 20))
  })
})

describe('weakened verification', () => {
  test('insecureSkipSignatureCheck leaves claims checks on', async () => {
    const verification = { ...aPolicy().verification, insecureSkipSignatureCheck: true }
    expect(await outcomeOf(await stranger.token(NOW), { verification })).toBe('allow')
    expect(await outcomeOf(await stranger.token(NOW, { exp: 1 }), { verification })).toBe('401 expired_token')
    expect(await outcomeOf(await stranger.token(NOW, { nonce: 'n' }), { verification })).toBe(
      '401 invalid_token',
    )
  })

  test('insecureSkipClaimsCheck leaves the signature check on', async () => {
    const verification = { ...aPolicy().verification, insecureSkipClaimsCheck: true }
    const odd = { iss: 'x', aud: 'y', exp: 1 }
    expect(await outcomeOf(await signer.token(NOW, odd), { verification })).toBe('allow')
    expect(await outcomeOf(await stranger.token(NOW, odd), { verification })).toBe('401 invalid_token')
    expect(await outcomeOf(await signer.token(NOW, { nonce: 'n' }), { verification })).toBe(
      '401 invalid_token',
    )
  })

  test('without audiences any audience passes', async () => {
    const verification = { ...aPolicy().verification, audiences: [] }
    expect(await outcomeOf(await signer.token(NOW, { aud: 'x' }), { verification })).toBe('allow')
  })
})

test('an edited policy forgets what it accepted', async () => {
  const made = harness()
  const token = await signer.token(NOW)
  expect(outcome(await made.askBearer(token))).toBe('allow')
  const verification = { ...aPolicy().verification, audiences: ['api://new'] }
  made.publish({ policies: { 'default/oidc': aPolicy({ revision: 'uid-2', verification }) } })
  expect(outcome(await made.askBearer(token))).toBe('401 wrong_audience')
})
