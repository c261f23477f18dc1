import { createHmac } from 'node:crypto'
import * as fc from 'fast-check'
import { exportSPKI, importJWK, type CryptoKey } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { CacheCounts } from '../../src/auth/cache-counts.ts'
import { createAuthorizer } from '../../src/auth/create-authorizer.ts'
import { aPolicy, OWN_CLIENT } from '../support/a-policy.ts'
import { Harness, outcome, someFacts } from '../support/authorizer-harness.ts'
import { base64url, Signer } from '../support/signed-tokens.ts'
import { aHost } from '../support/snapshot.ts'
import { seedsOf } from './corpus.ts'
import { mutated } from './mutation.ts'

const SEEDS = seedsOf('jwt').map(({ name, bytes }) => {
  const [header = '', payload = ''] = bytes.toString().split('\n', 2)
  return { name, header, payload }
})
/** Refused whoever signed them: the others would be good tokens under the right key. */
const NEVER_GOOD = /^(alg|critical|kid-is|typ|issuer|expiry|audience|prototype|payload|byte-order-mark)/

let signer: Signer
let attacker: Signer
let pem: string

beforeAll(async () => {
  signer = await Signer.create('k1')
  attacker = await Signer.create('k1')
  pem = await exportSPKI((await importJWK(signer.publicJwk, 'ES256')) as CryptoKey)
})

function harness(): Harness {
  const introspected = aPolicy({
    id: 'default/introspected',
    methods: ['introspection'],
    client: OWN_CLIENT,
    introspection: { ...aPolicy().introspection, introspectJwtTokens: true },
  })
  const made = new Harness([aPolicy(), introspected])
  made.serveKeys(signer)
  made.servers.onIntrospect = () => ({ ok: true, value: { active: false, claims: {} } })
  return made
}

/** What an attacker can put where the signature belongs. */
async function forgeries(header: string, payload: string): Promise<string[]> {
  const input = `${base64url(header)}.${base64url(payload)}`
  const hmac = (key: string): string => createHmac('sha256', key).update(input).digest('base64url')
  return [
    `${input}.`,
    `${input}.AAAA`,
    `${input}.${base64url(Buffer.alloc(64).toString('latin1'))}`,
    `${input}.${hmac(pem)}`,
    `${input}.${hmac(pem.trim())}`,
    `${input}.${hmac(JSON.stringify(signer.publicJwk))}`,
    `${input}.${hmac(String(signer.publicJwk.x))}`,
    `${input}.${hmac('')}`,
    `${input}.${await attacker.signatureOf(input)}`,
  ]
}

describe('tokens of the corpus', () => {
  test.each(SEEDS)('$name opens nothing', async ({ name, header, payload }) => {
    const made = harness()
    const input = `${base64url(header)}.${base64url(payload)}`
    const tokens = await forgeries(header, payload)
    if (NEVER_GOOD.test(name)) tokens.push(`${input}.${await signer.signatureOf(input)}`)
    for (const token of tokens) {
      expect(outcome(await made.askBearer(token))).toMatch(/^401 /)
    }
    // No key, URL or certificate of the sender's was asked for: the client knows the policy's server alone.
    expect(made.servers.keyCalls.length).toBeLessThanOrEqual(tokens.length + 1)
  })
})

test('a mebibyte of token is refused before anybody reads it', async () => {
  const made = harness()
  const good = await signer.token(made.clock.now())
  for (const token of [
    'a'.repeat(1_048_576),
    'a.'.repeat(524_288),
    `${good}${'A'.repeat(1_048_576)}`,
    `${base64url({ alg: 'ES256', kid: 'k'.repeat(1_000_000) })}.e30.AAAA`,
    await signer.token(made.clock.now(), { filler: 'x'.repeat(1_048_576) }),
  ]) {
    expect(outcome(await made.askBearer(token))).toBe('401 too_large')
  }
  expect(made.servers.introspections).toEqual([])
  expect(made.servers.keyCalls).toEqual([])
})

test('of a good token no changed copy passes', async () => {
  const made = harness()
  const good = await signer.token(made.clock.now())
  const seeds = [good, `${good}.${good}`, ...SEEDS.slice(0, 3).map(({ header }) => base64url(header))]
  await fc.assert(
    fc.asyncProperty(mutated(seeds.map((seed) => Buffer.from(seed))), async (bytes) => {
      const token = bytes.toString('latin1')
      const decision = await made.askBearer(token)
      // base64url spells some bytes in two ways; what is signed is the same then.
      if (decision.kind === 'allow') expect(decoded(token)).toEqual(decoded(good))
      else expect(outcome(decision)).toMatch(/^401 /)
    }),
    { numRuns: 400 },
  )
})

test('whatever claims are signed, what passes is of the issuer, the audience and the hour', async () => {
  const made = harness()
  const now = made.clock.now() / 1000
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(
      now,
      now - 10,
      now + 10,
      'api://default',
      ['api://default'],
      `${now + 10}`,
      null,
    ),
  )
  const names = fc.constantFrom(
    'iss',
    'aud',
    'exp',
    'nbf',
    'iat',
    'typ',
    'nonce',
    'cnf',
    'events',
    '__proto__',
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, value, { maxKeys: 3 }), async (changes) => {
      const token = await signer.token(made.clock.now(), changes)
      if ((await made.askBearer(token)).kind !== 'allow') return
      const claims = JSON.parse(decoded(token)[1] ?? '') as Record<string, unknown>
      expect(claims['iss']).toBe(aPolicy().server.issuer)
      expect([claims['aud']].flat()).toContain('api://default')
      expect(Number(claims['exp'])).toBeGreaterThan(now)
      expect(Number(claims['nbf'] ?? 0)).toBeLessThanOrEqual(now)
      for (const name of ['nonce', 'cnf', 'events']) expect(claims[name] ?? undefined).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})

test('what is remembered has an end, whoever sends how many tokens', async () => {
  const made = harness()
  const caches = new CacheCounts()
  const authorizer = createAuthorizer(
    { clock: made.clock, authorizationServers: made.servers, randomBytes: (n) => Buffer.alloc(n), caches },
    made.relyingParty,
  )
  const host = aHost('app.example.com', [made.route])
  for (let index = 0; index < 10_500; index += 1) {
    const facts = someFacts({ authorization: `Bearer opaque-${index}` })
    await authorizer.authorize(made.snapshot, host, made.route, facts)
  }
  for (const { cache, entries } of caches.list()) expect([cache, entries <= 10_000]).toEqual([cache, true])
})

function decoded(token: string): string[] {
  return token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))
}
