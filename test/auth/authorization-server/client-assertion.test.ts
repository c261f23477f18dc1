import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { jwtVerify, type JWTVerifyResult } from 'jose'
import { describe, expect, test } from 'vitest'
import type { ClientWithSecret } from '../../../src/auth/authorization-server/authorization-server-client.ts'
import type { RecordedRequest } from '../../support/hostile-authorization-server.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { openClient, startHostile, valueOf } from './open-client.ts'

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ED = generateKeyPairSync('ed25519')
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' })
}

function jwk(key: KeyObject, more: object = {}): string {
  return JSON.stringify({ ...key.export({ format: 'jwk' }), ...more })
}

function keyClient(privateKey: string, more: Partial<ClientWithSecret> = {}): ClientWithSecret {
  return { id: 'app', authMethod: 'private_key_jwt', privateKey, ...more }
}

async function assertionOf(
  { form }: RecordedRequest,
  key: KeyObject | Uint8Array,
  nowMs: number,
): Promise<JWTVerifyResult> {
  const options = { currentDate: new Date(nowMs), issuer: 'app', subject: 'app' }
  return await jwtVerify(form.get('client_assertion') ?? '', key, options)
}

describe('private_key_jwt', () => {
  test.each([
    ['an RSA key in PEM', pem(RSA.privateKey), RSA.publicKey, { alg: 'RS256' }],
    ['an EC key in PEM', pem(EC.privateKey), EC.publicKey, { alg: 'ES256' }],
    ['an Ed25519 key in PEM', pem(ED.privateKey), ED.publicKey, { alg: 'EdDSA' }],
    [
      'a JWK with kid and alg',
      jwk(RSA.privateKey, { kid: 'k1', alg: 'PS256' }),
      RSA.publicKey,
      { alg: 'PS256', kid: 'k1' },
    ],
    [
      'a JWK with an alg of another key',
      jwk(EC.privateKey, { alg: 'RS256' }),
      EC.publicKey,
      { alg: 'ES256' },
    ],
  ])('proves the client with %s', async (_name, privateKey, publicKey, header) => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const grant = { client: keyClient(privateKey), scopes: [], audience: [] }
    valueOf(await client.clientCredentialsGrant(hostile.asPolicyServer(), grant))
    const sent = hostile.last('token')
    expect(sent.headers.authorization).toBeUndefined()
    expect([...sent.form.keys()].sort()).toEqual([
      'client_assertion',
      'client_assertion_type',
      'client_id',
      'grant_type',
    ])
    expect(sent.form.get('client_assertion_type')).toBe(
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    )
    const { payload, protectedHeader } = await assertionOf(sent, publicKey, clock.now())
    expect(protectedHeader).toEqual({ ...header, typ: 'JWT' })
    expect(payload.aud).toBe(`${hostile.issuer}/v1/token`)
    expect(payload.exp).toBe(clock.now() / 1000 + 60)
  })

  test('is made out to the endpoint that is called, or to whom the policy says, and used once', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    const seen = new Set<unknown>()
    const ask = async (more: Partial<ClientWithSecret>): Promise<unknown> => {
      const request = { client: keyClient(pem(EC.privateKey), more), token: 't', hint: '' }
      valueOf(await client.introspect(server, request))
      const { payload } = await assertionOf(hostile.last('introspect'), EC.publicKey, clock.now())
      seen.add(payload.jti)
      return payload.aud
    }
    expect(await ask({})).toBe(`${hostile.issuer}/v1/introspect`)
    expect(await ask({ assertionAudience: hostile.issuer })).toBe(hostile.issuer)
    expect(seen.size).toBe(2)
  })

  test.each([
    '',
    'no key',
    '{"kty":"RSA"}',
    jwk(EC.publicKey),
    pem(generateKeyPairSync('x25519').privateKey),
    pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey),
  ])('is refused without a call where there is no such key: %#', async (privateKey) => {
    const hostile = await startHostile()
    const { client } = openClient()
    const grant = { client: keyClient(privateKey), scopes: [], audience: [] }
    const answer = await client.clientCredentialsGrant(hostile.asPolicyServer(), grant)
    expect(answer).toMatchObject({ ok: false, kind: 'refused', error: 'invalid_client' })
    expect(hostile.requests).toEqual([])
  })

  test('a server that echoes the assertion gets its words dropped', async () => {
    const hostile = await startHostile()
    hostile.behave('token', ({ form }) => ({
      status: 401,
      body: { error: 'invalid_client', error_description: `bad: ${form.get('client_assertion')}` },
    }))
    const { client } = openClient()
    const grant = { client: keyClient(pem(EC.privateKey)), scopes: [], audience: [] }
    const answer = await client.clientCredentialsGrant(hostile.asPolicyServer(), grant)
    expect(answer).toEqual({ ok: false, kind: 'refused', error: 'invalid_client' })
  })
})

test('client_secret_jwt signs with the secret and does not send it', async () => {
  const hostile = await startHostile()
  const { client, clock } = openClient()
  const secret = 'a secret of thirty-two characters'
  const grant = {
    client: { id: 'app', secret, authMethod: 'client_secret_jwt' } as const,
    scopes: [],
    audience: [],
  }
  valueOf(await client.clientCredentialsGrant(hostile.asPolicyServer(), grant))
  const sent = hostile.last('token')
  const { protectedHeader } = await assertionOf(sent, new TextEncoder().encode(secret), clock.now())
  expect(protectedHeader.alg).toBe('HS256')
  expect(sent.form.toString()).not.toContain('thirty')
})

test('an assertion is of the time that the clock says', async () => {
  const hostile = await startHostile()
  const { client, clock } = openClient()
  clock.advance(86_400_000)
  const grant = { client: keyClient(pem(ED.privateKey)), scopes: [], audience: [] }
  valueOf(await client.clientCredentialsGrant(hostile.asPolicyServer(), grant))
  const { payload } = await assertionOf(hostile.last('token'), ED.publicKey, clock.now())
  expect(payload.iat).toBe(new ManualClock().now() / 1000 + 86_400)
})
