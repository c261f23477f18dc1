import { generateKeyPairSync, sign } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { aPolicy } from '../../support/a-policy.ts'
import { Harness, outcome } from '../../support/authorizer-harness.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { base64url, oktaClaims, Signer } from '../../support/signed-tokens.ts'

const NOW = new ManualClock().now()
const NO_KID = { kid: undefined }
let first: Signer
let second: Signer

beforeAll(async () => {
  first = await Signer.create('first')
  second = await Signer.create('second')
})

function serving(...keys: readonly object[]): Harness {
  const made = new Harness([aPolicy()])
  serve(made, ...keys)
  return made
}

function serve(made: Harness, ...keys: readonly object[]): void {
  const fetchedAtMs = made.clock.now()
  made.servers.onKeys = () => ({ ok: true, value: { keys: keys.map((key) => ({ ...key })), fetchedAtMs } })
}

/** Of a JWK what is left without `kid` and `alg`, as some servers publish them. */
function bare({ publicJwk }: Signer): object {
  const { kid: _kid, alg: _alg, use: _use, ...rest } = publicJwk
  return rest
}

test('a token without kid is tried under every key of its algorithm', async () => {
  const made = serving(bare(first), bare(second))
  expect(outcome(await made.askBearer(await second.token(NOW, {}, NO_KID)))).toBe('allow')
  const stranger = await Signer.create('stranger')
  expect(outcome(await made.askBearer(await stranger.token(NOW, {}, NO_KID)))).toBe('401 invalid_token')
})

test('a token without kid that no key fits has the keys asked for anew: they may have been rotated', async () => {
  const made = serving(bare(first))
  expect(outcome(await made.askBearer(await first.token(NOW, {}, NO_KID)))).toBe('allow')
  serve(made, bare(second))
  expect(outcome(await made.askBearer(await second.token(NOW, {}, NO_KID)))).toBe('allow')
  expect(made.servers.keyCalls).toEqual([undefined, ''])
})

test('a key for encryption verifies nothing, also under the kid that the token names', async () => {
  const made = serving({ ...first.publicJwk, use: 'enc' })
  expect(outcome(await made.askBearer(await first.token(NOW)))).toBe('401 unknown_key')
  expect(outcome(await made.askBearer(await first.token(NOW, {}, NO_KID)))).toBe('401 unknown_key')
})

test('a key of another algorithm, or one that is none, is passed over', async () => {
  const made = serving({ kty: 'RSA', n: 'AQAB', e: 'AQAB' }, { ...bare(first), x: '!' }, bare(first))
  expect(outcome(await made.askBearer(await first.token(NOW, {}, NO_KID)))).toBe('allow')
})

test('a signature under an RSA key of 1,024 bits does not count', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const made = serving({ ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256', use: 'sig' })
  const input = `${base64url({ alg: 'RS256', kid: 'weak' })}.${base64url(oktaClaims(NOW))}`
  const signature = sign('sha256', Buffer.from(input), privateKey).toString('base64url')
  expect(outcome(await made.askBearer(`${input}.${signature}`))).toBe('401 invalid_token')
})
