import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CacheCounts } from '../../src/auth/cache-counts.ts'
import { createAuthorizer } from '../../src/auth/create-authorizer.ts'
import type { AuthDecision } from '../../src/auth/decision.ts'
import type { RequestFacts } from '../../src/auth/request-facts.ts'
import { aPolicy } from '../support/a-policy.ts'
import { Harness, outcome, someFacts } from '../support/authorizer-harness.ts'
import { aHost } from '../support/snapshot.ts'
import { seedsOf } from './corpus.ts'
import { mutated, mutatedText } from './mutation.ts'

const ID = 'orders-service'
const SECRET = 'orders-secret'
const REFUSED = { ok: false, kind: 'refused', error: 'invalid_client' } as const

/** A token endpoint that knows one client. */
function world() {
  const policy = aPolicy({
    methods: ['client_credentials'],
    clientCredentials: { places: ['header', 'query', 'body'], cache: true },
    cache: { ttlSeconds: 3600, negativeTtlSeconds: 3600 },
  })
  const made = new Harness([policy])
  made.servers.onGrant = ({ client }) =>
    client.id === ID && client.secret === SECRET
      ? { ok: true, value: { accessToken: 'issued', tokenType: 'Bearer' } }
      : REFUSED
  const caches = new CacheCounts()
  const authorizer = createAuthorizer(
    { clock: made.clock, authorizationServers: made.servers, randomBytes: (n) => Buffer.alloc(n), caches },
    made.relyingParty,
  )
  const host = aHost('app.example.com', [made.route])
  const ask = async (facts: RequestFacts): Promise<AuthDecision> =>
    await authorizer.authorize(made.snapshot, host, made.route, facts)
  return { made, caches, ask }
}

test('whatever stands in Authorization, only the client’s own id and secret pass', async () => {
  const { made, caches, ask } = world()
  const seeds = seedsOf('basic').map(({ bytes }) => bytes)
  const judge = async (credential: string): Promise<void> => {
    const decision = await ask(someFacts({ authorization: `Basic ${credential}` }))
    if (decision.kind === 'allow') {
      expect(decodeURIComponent(Buffer.from(credential.trim(), 'base64').toString())).toBe(`${ID}:${SECRET}`)
    } else expect(outcome(decision)).toMatch(/^401 /)
  }
  for (const seed of seeds) await judge(seed.toString('latin1'))
  await fc.assert(fc.asyncProperty(mutatedText(seeds), judge), { numRuns: 500 })
  for (const { client } of made.servers.grants) {
    expect(client.id).not.toBe('')
    expect(`${client.id}${client.secret}`).not.toMatch(/\p{Cc}/u)
    expect(client.authMethod).toBe('client_secret_basic')
  }
  for (const { cache, entries } of caches.list()) expect([cache, entries <= 10_000]).toEqual([cache, true])
})

test('whatever form or query comes, only the client’s own id and secret pass', async () => {
  const { ask } = world()
  const seeds = seedsOf('form').map(({ bytes }) => bytes)
  const judge = async (bytes: Buffer): Promise<void> => {
    const text = bytes.toString('latin1')
    const form = new URLSearchParams(text)
    const posted = someFacts(
      { 'content-type': 'application/x-www-form-urlencoded' },
      { method: 'POST', form: async () => form },
    )
    for (const facts of [posted, someFacts({}, { query: text })]) {
      const decision = await ask(facts)
      if (decision.kind !== 'allow') {
        expect(outcome(decision)).toMatch(/^401 /)
        continue
      }
      expect([form.getAll('client_id'), form.getAll('client_secret')]).toEqual([[ID], [SECRET]])
    }
  }
  for (const seed of seeds) await judge(seed)
  await fc.assert(fc.asyncProperty(mutated(seeds), judge), { numRuns: 300 })
})
