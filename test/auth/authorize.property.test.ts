import * as fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { AuthDecision } from '../../src/auth/decision.ts'
import type { RequestFacts } from '../../src/auth/request-facts.ts'
import type { AuthMethod, Policy } from '../../src/table/policy.ts'
import { aPolicy, aServer, OWN_CLIENT } from '../support/a-policy.ts'
import { Harness, NAVIGATION, someFacts } from '../support/authorizer-harness.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { base64url, oktaClaims, Signer } from '../support/signed-tokens.ts'

const NOW = new ManualClock().now()
const METHODS: readonly AuthMethod[] = [
  'session',
  'bearer',
  'introspection',
  'client_credentials',
  'authorization_code',
]
let tokens: readonly string[]
let signer: Signer

beforeAll(async () => {
  signer = await Signer.create('k1')
  tokens = [
    await signer.token(NOW),
    await signer.token(NOW, {}, { kid: undefined }),
    await signer.token(NOW, {}, { jwk: signer.publicJwk }),
    `${base64url({ alg: 'none' })}.${base64url(oktaClaims(NOW))}.`,
    'opaque',
    '',
  ]
})

const policies = fc
  .array(
    fc.record({
      methods: fc.subarray([...METHODS], { minLength: 1 }),
      places: fc.subarray(['header', 'query', 'body', 'cookie'] as const, { minLength: 1 }),
      introspectJwtTokens: fc.boolean(),
      hideCredentials: fc.boolean(),
      issuer: fc.constantFrom(undefined, 'https://second.example.com'),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((choices) =>
    choices.map(({ methods, places, introspectJwtTokens, hideCredentials, issuer }, index) =>
      aPolicy({
        id: `default/p${index}`,
        methods,
        client: OWN_CLIENT,
        server: aServer(issuer),
        bearer: { places, cookieName: 'token' },
        clientCredentials: { places: ['header', 'query', 'body'], cache: true },
        introspection: { ...aPolicy().introspection, introspectJwtTokens },
        hideCredentials,
      }),
    ),
  )

const requests = fc.record({
  token: fc.nat({ max: 5 }),
  place: fc.constantFrom('authorization', 'access-token', 'query', 'form', 'cookie', 'basic', 'none'),
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'PUT'),
  navigation: fc.boolean(),
})

function factsOf(request: Readonly<typeof requests extends fc.Arbitrary<infer T> ? T : never>): RequestFacts {
  const token = tokens[request.token] ?? ''
  const headers: Record<string, string> = request.navigation ? { ...NAVIGATION } : {}
  const form = new URLSearchParams({ access_token: token, client_id: 'a', client_secret: 'b' })
  if (request.place === 'authorization') headers['authorization'] = `Bearer ${token}`
  if (request.place === 'access-token') headers['access-token'] = token
  if (request.place === 'basic') headers['authorization'] = 'Basic YTpi'
  if (request.place === 'cookie') headers['cookie'] = `token=${token}`
  if (request.place === 'form') headers['content-type'] = 'application/x-www-form-urlencoded'
  return someFacts(headers, {
    method: request.method,
    query: request.place === 'query' ? form.toString() : '',
    form: async () => (request.place === 'form' ? form : undefined),
  })
}

async function decide(
  chosen: readonly Policy[],
  asked: typeof requests extends fc.Arbitrary<infer T> ? T : never,
  prepare: (made: Harness) => void,
): Promise<AuthDecision> {
  const made = new Harness(chosen)
  prepare(made)
  // Twice, for what the first time left in caches.
  await made.ask(factsOf(asked))
  return await made.ask(factsOf(asked))
}

test('without keys, and with a server that vouches for nothing, no request passes whatever it carries', async () => {
  await fc.assert(
    fc.asyncProperty(policies, requests, async (chosen, asked) => {
      const decision = await decide(chosen, asked, (made) => {
        made.servers.onKeys = () => ({ ok: true, value: { keys: [], fetchedAtMs: 0 } })
        made.servers.onIntrospect = () => ({ ok: true, value: { active: false, claims: {} } })
        made.servers.onGrant = () => ({ ok: false, kind: 'refused', error: 'invalid_client' })
      })
      expect(decision.kind).not.toBe('allow')
    }),
    { numRuns: 150 },
  )
})

test('with a server that is down, no request passes whatever it carries', async () => {
  await fc.assert(
    fc.asyncProperty(policies, requests, async (chosen, asked) => {
      expect((await decide(chosen, asked, () => undefined)).kind).not.toBe('allow')
    }),
    { numRuns: 150 },
  )
})

test('whatever is refused tells no token, and whatever passes was allowed by a method of its policy', async () => {
  let passed = 0
  await fc.assert(
    fc.asyncProperty(policies, requests, async (chosen, asked) => {
      const decision = await decide(chosen, asked, (made) => {
        made.serveKeys(signer)
        made.servers.onIntrospect = ({ token }) => ({ ok: true, value: { active: token !== '', claims: {} } })
      })
      const token = tokens[asked.token] ?? ''
      if (decision.kind !== 'allow') {
        if (token.length > 10) expect(JSON.stringify(decision)).not.toContain(token)
        return
      }
      passed += 1
      const { policy, method } = decision.identity
      const judge = chosen.find(({ id }) => id === policy)
      expect(judge?.methods).toContain(method)
      if (method === 'bearer') expect(judge?.introspection.introspectJwtTokens).toBe(false)
    }),
    { numRuns: 200 },
  )
  expect(passed).toBeGreaterThan(0)
})

test('one changed character of a signed token never passes', async () => {
  const made = new Harness([aPolicy()])
  made.serveKeys(signer)
  const token = await signer.token(NOW)
  expect((await made.askBearer(token)).kind).toBe('allow')
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: token.length - 3 }),
      fc.constantFrom(...alphabet.split('')),
      async (at, character) => {
        fc.pre(token[at] !== character)
        const changed = token.slice(0, at) + character + token.slice(at + 1)
        expect((await made.askBearer(changed)).kind).toBe('refuse')
      },
    ),
    { numRuns: 200 },
  )
})
