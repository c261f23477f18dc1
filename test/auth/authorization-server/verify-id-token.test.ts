import { generateKeyPairSync, sign } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { KeySet } from '../../../src/auth/authorization-server/authorization-server-client.ts'
import { verifyIdToken, type IdTokenChecks } from '../../../src/auth/authorization-server/verify-id-token.ts'
import { base64url, Signer } from '../../support/signed-tokens.ts'

const NOW = 1_700_000_000
const ISSUER = 'https://login.example.com'
const CLAIMS = { iss: ISSUER, aud: 'app', sub: 'alice', nonce: 'n', iat: NOW, exp: NOW + 300 }
let first: Signer
let second: Signer

beforeAll(async () => {
  first = await Signer.create('first')
  second = await Signer.create('second')
})

/** Checks under key sets that are given out one after the other; `asked` tells for which key ids. */
function checksWith(sets: readonly (readonly object[])[], overrides: Partial<IdTokenChecks> = {}) {
  const asked: (string | undefined)[] = []
  const checks: IdTokenChecks = {
    issuer: ISSUER,
    clientId: 'app',
    nonce: 'n',
    leewaySeconds: 0,
    nowMs: NOW * 1000,
    keys: async (missing) => {
      const keys = (sets[Math.min(asked.length, sets.length - 1)] ?? []) as KeySet['keys']
      asked.push(missing)
      return { ok: true, value: { keys, fetchedAtMs: 0 } }
    },
    ...overrides,
  }
  return { checks, asked }
}

function bare({ publicJwk }: Signer): object {
  const { kid: _kid, alg: _alg, use: _use, ...rest } = publicJwk
  return rest
}

function token(signer: Signer, claims: object = {}, header: Record<string, unknown> = {}): Promise<string> {
  return signer.sign(JSON.stringify({ ...CLAIMS, ...claims }), header)
}

describe('an ID token without kid', () => {
  test('holds under any of the keys that are published without', async () => {
    const { checks } = checksWith([[bare(first), bare(second)]])
    expect(await verifyIdToken(await token(second, {}, { kid: undefined }), checks)).toMatchObject({
      ok: true,
    })
  })

  test('has the keys asked for anew where none fits', async () => {
    const { checks, asked } = checksWith([[bare(first)], [bare(second)]])
    expect(await verifyIdToken(await token(second, {}, { kid: undefined }), checks)).toMatchObject({
      ok: true,
    })
    expect(asked).toEqual([undefined, ''])
  })

  test('is refused under no key, once the keys were asked for anew', async () => {
    const { checks, asked } = checksWith([[bare(first)]])
    expect(await verifyIdToken(await token(second, {}, { kid: undefined }), checks)).toMatchObject({
      ok: false,
      error: 'invalid_id_token',
    })
    expect(asked).toEqual([undefined, ''])
  })

  test('of which a claim is wrong is not tried under further keys', async () => {
    const { checks, asked } = checksWith([[bare(first), bare(second)]])
    const answer = await verifyIdToken(await token(first, { nonce: 'other' }, { kid: undefined }), checks)
    expect(answer).toMatchObject({ ok: false, description: 'ID token: nonce differs' })
    expect(asked).toEqual([undefined])
  })
})

test('an ID token that names a key is judged by that key alone', async () => {
  const { checks, asked } = checksWith([[{ ...first.publicJwk, kid: 'second' }, bare(second)]])
  expect(await verifyIdToken(await token(second), checks)).toMatchObject({ ok: false })
  expect(asked).toEqual(['second'])
})

test("a key for encryption, and an RSA key of 1,024 bits, make nobody's signature good", async () => {
  const encryption = checksWith([[{ ...first.publicJwk, use: 'enc' }]])
  expect(await verifyIdToken(await token(first), encryption.checks)).toMatchObject({ ok: false })
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const weak = checksWith([[{ ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' }]])
  const input = `${base64url({ alg: 'RS256', kid: 'weak' })}.${base64url(CLAIMS)}`
  const signature = sign('sha256', Buffer.from(input), privateKey).toString('base64url')
  expect(await verifyIdToken(`${input}.${signature}`, weak.checks)).toMatchObject({ ok: false })
})

describe('the issuer of Google', () => {
  const GOOGLE = { issuer: 'https://accounts.google.com' }

  test.each(['https://accounts.google.com', 'accounts.google.com'])('may be written %s', async (iss) => {
    const { checks } = checksWith([[first.publicJwk]], GOOGLE)
    expect(await verifyIdToken(await token(first, { iss }), checks)).toMatchObject({ ok: true })
  })

  test.each(['accounts.google.com.evil.example', 'http://accounts.google.com', ISSUER])(
    'may not be written %s',
    async (iss) => {
      const { checks } = checksWith([[first.publicJwk]], GOOGLE)
      expect(await verifyIdToken(await token(first, { iss }), checks)).toMatchObject({ ok: false })
    },
  )

  test('leaves other issuers their scheme', async () => {
    const { checks } = checksWith([[first.publicJwk]])
    expect(await verifyIdToken(await token(first, { iss: 'login.example.com' }), checks)).toMatchObject({
      ok: false,
    })
  })
})
