import * as fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Answer } from '../../src/auth/authorization-server/authorization-server-client.ts'
import type { DirectAuthorizationServerClient } from '../../src/auth/authorization-server/create-authorization-server-client.ts'
import type { Authorizer } from '../../src/auth/authorize.ts'
import { createAuthorizer } from '../../src/auth/create-authorizer.ts'
import type { AuthDecision } from '../../src/auth/decision.ts'
import type { AuthorizationServer, Policy } from '../../src/table/policy.ts'
import { EMPTY_TABLE } from '../../src/table/routing-table.ts'
import { openClient, startHostile } from '../auth/authorization-server/open-client.ts'
import { aPolicy, OWN_CLIENT } from '../support/a-policy.ts'
import { FakeRelyingParty, someFacts } from '../support/authorizer-harness.ts'
import type { HostileAuthorizationServer, HostileEndpoint } from '../support/hostile-authorization-server.ts'
import type { ManualClock } from '../support/manual-clock.ts'
import { base64url, oktaClaims, Signer } from '../support/signed-tokens.ts'
import { aHost, aRoute } from '../support/snapshot.ts'
import { seedsOf } from './corpus.ts'
import { mutated } from './mutation.ts'

const RUNS = { numRuns: 250 }
const HTTPS_OR_LOOPBACK = /^(https:\/\/|http:\/\/(localhost|127\.[0-9.]+|\[::1\])([:/?]|$))/
const JSON_TYPES = { 'content-type': 'application/json' }

let attacker: Signer
let hostile: HostileAuthorizationServer
let client: DirectAuthorizationServerClient
let authorizer: Authorizer
let clock: ManualClock
let serial = 0

beforeAll(async () => {
  attacker = await Signer.create('k1')
})

beforeEach(async () => {
  hostile = await startHostile()
  const opened = openClient()
  client = opened.client
  clock = opened.clock
  authorizer = createAuthorizer(
    { clock, authorizationServers: client, randomBytes: (size) => Buffer.alloc(size) },
    new FakeRelyingParty(),
  )
})

/** A server of which nothing is known yet, that answers these bytes at one endpoint. */
function answering(endpoint: HostileEndpoint, bytes: Buffer): AuthorizationServer {
  hostile.behave(endpoint, () => ({ headers: JSON_TYPES, body: bytes.toString('utf8') }))
  serial += 1
  return hostile.asPolicyServer({ id: `fuzzed-${serial}`, timeoutMs: 1_000 })
}

/** Decides on a request with one policy of that server, as a proxy thread would. */
async function decide(
  server: AuthorizationServer,
  authorization: string,
  overrides: Partial<Policy> = {},
): Promise<AuthDecision> {
  const policy = aPolicy({ server, client: OWN_CLIENT, revision: server.id, ...overrides })
  const action = { kind: 'forward', upstream: 'default/orders/80', policies: [policy.id] } as const
  const route = aRoute('orders', { action })
  const snapshot = {
    table: { ...EMPTY_TABLE, policies: { [policy.id]: policy } },
    secret: () => 'ostiary-secret',
    sessionKeys: [],
  }
  const host = aHost('app.example.com', [route])
  return await authorizer.authorize(snapshot, host, route, someFacts({ authorization }))
}

function objectOf(bytes: Buffer): Readonly<Record<string, unknown>> {
  // Without a byte order mark, as every reader of a response takes it.
  return JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>
}

/** Seeds name the server's issuer, which is known only while a test runs. */
function naming(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll('ISSUER', hostile.issuer), 'latin1')
}

async function check(kind: string, judge: (bytes: Buffer) => Promise<void>): Promise<void> {
  const seeds = seedsOf(kind).map(({ bytes }) => bytes)
  for (const seed of seeds) await judge(naming(seed))
  await fc.assert(
    fc.asyncProperty(mutated(seeds), async (bytes) => await judge(naming(bytes))),
    RUNS,
  )
}

function isWhole(answer: Answer<unknown>): void {
  if (answer.ok) return
  expect(answer.kind === 'unavailable' ? answer.reason : answer.error).toMatch(/^[\x20-\x7e]{1,600}$/)
}

describe('whatever an authorization server answers', () => {
  test('a discovery document is of the issuer, and its endpoints may be called', async () => {
    await check('discovery', async (bytes) => {
      const answer = await client.metadata(answering('discovery', bytes))
      isWhole(answer)
      if (!answer.ok) return
      expect(answer.value.issuer.replace(/\/$/, '')).toBe(hostile.issuer)
      for (const [name, value] of Object.entries(answer.value)) {
        if (!/Endpoint$|Uri$/.test(name)) continue
        expect([name, String(value)]).toEqual([name, expect.stringMatching(HTTPS_OR_LOOPBACK)])
        expect(new URL(String(value)).username + new URL(String(value)).password).toBe('')
      }
    })
  })

  test('a key set holds public keys alone, and none lets a forged token pass', async () => {
    const forged = await attacker.token(clock.now(), { iss: hostile.issuer })
    const unsigned = `${base64url({ alg: 'none' })}.${base64url({ ...oktaClaims(clock.now()), iss: hostile.issuer })}.`
    await check('jwks', async (bytes) => {
      const server = answering('keys', bytes)
      const answer = await client.keys(server)
      isWhole(answer)
      for (const key of answer.ok ? answer.value.keys : []) {
        expect(['RSA', 'EC', 'OKP', 'AKP']).toContain(key['kty'])
        expect(Object.keys(key)).not.toEqual(expect.arrayContaining(['d']))
        expect(Object.keys(key)).not.toEqual(expect.arrayContaining(['k']))
      }
      for (const token of [forged, unsigned]) {
        expect((await decide(server, `Bearer ${token}`)).kind).not.toBe('allow')
      }
    })
  })

  test('an introspected token passes by a boolean true alone, of this issuer and audience, in its time', async () => {
    await check('introspection', async (bytes) => {
      const server = answering('introspect', bytes)
      const decision = await decide(server, 'Bearer opaque', { methods: ['introspection'] })
      if (decision.kind !== 'allow') {
        expect(['refuse', 'unavailable']).toContain(decision.kind)
        return
      }
      const { active, iss, aud, exp, nonce, cnf, token_type } = objectOf(bytes)
      expect(active).toBe(true)
      expect([hostile.issuer, `${hostile.issuer}/`]).toContain(iss ?? hostile.issuer)
      expect([aud ?? 'api://default'].flat()).toContain('api://default')
      expect(Number(exp ?? Infinity)).toBeGreaterThan(Date.UTC(2026, 0, 1) / 1000)
      expect([nonce ?? undefined, cnf ?? undefined]).toEqual([undefined, undefined])
      expect(token_type).not.toBe('refresh_token')
      for (const [, value] of decision.setHeaders) expect(value).toMatch(/^[\x20-\x7e]*$/)
    })
  })

  test('a token that was bought for a client is text of type Bearer, and ends no header', async () => {
    await check('token-answer', async (bytes) => {
      const server = answering('token', bytes)
      const decision = await decide(server, `Basic ${btoa('a:b')}`, { methods: ['client_credentials'] })
      if (decision.kind !== 'allow') {
        expect(['refuse', 'unavailable']).toContain(decision.kind)
        return
      }
      const { access_token: token, token_type: type } = objectOf(bytes)
      expect(typeof token === 'string' && token !== '').toBe(true)
      expect(String(type).toLowerCase()).toBe('bearer')
      for (const [, value] of decision.setHeaders) expect(value).toMatch(/^[\x20-\x7e]*$/)
    })
  })

  test('user info is an object with a subject, or none', async () => {
    await check('introspection', async (bytes) => {
      const answer = await client.userInfo(answering('userinfo', bytes), 'token')
      isWhole(answer)
      if (answer.ok) expect(typeof answer.value['sub']).toBe('string')
    })
  })
})
