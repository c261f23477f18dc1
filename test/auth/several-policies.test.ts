import { beforeAll, describe, expect, test } from 'vitest'
import type { AuthDecision } from '../../src/auth/decision.ts'
import { aPolicy, aServer, ISSUER, OWN_CLIENT } from '../support/a-policy.ts'
import { Harness, NAVIGATION, outcome, someFacts } from '../support/authorizer-harness.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { Signer } from '../support/signed-tokens.ts'

const NOW = new ManualClock().now()
const SECOND_ISSUER = 'https://second.example.com'
let first: Signer
let second: Signer

beforeAll(async () => {
  first = await Signer.create('k')
  second = await Signer.create('k')
})

const FIRST = aPolicy({ id: 'default/first' })
const OTHER_AUDIENCE = aPolicy({
  id: 'default/audience',
  verification: { ...FIRST.verification, audiences: ['api://other'] },
})
const SECOND = aPolicy({ id: 'default/second', server: aServer(SECOND_ISSUER) })

function harness(...policies: Parameters<typeof aPolicy>[0][]): Harness {
  const made = new Harness(policies.map((policy) => aPolicy(policy)))
  made.servers.onKeys = (server) => {
    const { publicJwk } = server.issuer === SECOND_ISSUER ? second : first
    return { ok: true, value: { keys: [{ ...publicJwk }], fetchedAtMs: 0 } }
  }
  return made
}

function policyOf(decision: AuthDecision): string {
  return decision.kind === 'allow' ? decision.identity.policy : outcome(decision)
}

describe('a JWT goes to the first policy whose issuer and audience it names', () => {
  const all = (): Harness => harness(FIRST, OTHER_AUDIENCE, SECOND)

  test.each([
    ['the first', () => first.token(NOW), 'default/first'],
    ['the second of its issuer', () => first.token(NOW, { aud: 'api://other' }), 'default/audience'],
    ['another issuer’s', () => second.token(NOW, { iss: SECOND_ISSUER }), 'default/second'],
    ['no known issuer', () => first.token(NOW, { iss: 'https://evil.example' }), '401 wrong_issuer'],
    ['no known audience', () => first.token(NOW, { aud: 'api://none' }), '401 wrong_audience'],
    ['both audiences', () => first.token(NOW, { aud: ['api://other', 'api://default'] }), 'default/first'],
    ['the other issuer’s key', () => second.token(NOW), '401 invalid_token'],
    ['the other issuer’s name', () => first.token(NOW, { iss: SECOND_ISSUER }), '401 invalid_token'],
  ])('%s', async (_name, make, expected) => {
    expect(policyOf(await all().askBearer(await make()))).toBe(expected)
  })

  test('and no other judges what that one refuses', async () => {
    const strict = { ...FIRST, requirements: { roles: { claim: ['roles'], anyOf: [['admin']] } } }
    const lax = { ...FIRST, id: 'default/lax' }
    expect(policyOf(await harness(strict, lax).askBearer(await first.token(NOW)))).toBe('403 missing_role')
  })

  test('of those that look where the token is', async () => {
    const inQuery = { ...FIRST, id: 'default/query', bearer: { places: ['query'] as const } }
    const made = harness(inQuery, FIRST)
    const token = await first.token(NOW)
    expect(policyOf(await made.askBearer(token))).toBe('default/first')
    expect(policyOf(await made.ask(someFacts({}, { query: `access_token=${token}` })))).toBe('default/query')
  })
})

test('an opaque token goes to the first policy that introspects, and to no other authorization server', async () => {
  const introspecting = { methods: ['introspection'], client: OWN_CLIENT } as const
  const made = harness(
    FIRST,
    { ...SECOND, ...introspecting },
    { ...FIRST, ...introspecting, id: 'default/third' },
  )
  const asked: string[] = []
  made.servers.introspect = (server) => {
    asked.push(server.issuer)
    return Promise.resolve({ ok: true, value: { active: false, claims: {} } })
  }
  expect(policyOf(await made.askBearer('opaque'))).toBe('401 inactive_token')
  expect(asked).toEqual([SECOND_ISSUER])
})

test('client id and secret go to the first policy that takes them, and to no other authorization server', async () => {
  const taking = { methods: ['client_credentials'] } as const
  const made = harness(FIRST, { ...SECOND, ...taking }, { ...FIRST, ...taking, id: 'default/third' })
  const asked: string[] = []
  made.servers.clientCredentialsGrant = (server) => {
    asked.push(server.issuer)
    return Promise.resolve({ ok: false, kind: 'refused', error: 'invalid_client' })
  }
  expect(policyOf(await made.ask(someFacts({ authorization: 'Basic YTpi' })))).toBe('401 invalid_client')
  expect(asked).toEqual([SECOND_ISSUER])
})

test('a login starts at the first policy that allows it', async () => {
  const login = { methods: ['authorization_code'] } as const
  const made = harness(FIRST, { ...SECOND, ...login }, { ...FIRST, ...login, id: 'default/third' })
  await made.ask(someFacts(NAVIGATION))
  expect(made.relyingParty.logins.map(({ id }) => id)).toEqual(['default/second'])
})

test('what one route accepts says nothing about another', async () => {
  const strict = {
    ...FIRST,
    id: 'default/strict',
    requirements: { groups: { claim: ['groups'], anyOf: [['Admins']] } },
  }
  const made = harness(FIRST, strict)
  const routeFor = (id: string): typeof made.route => ({
    ...made.route,
    action: { kind: 'forward', upstream: 'default/orders/80', policies: [id] },
  })
  const [open, closed] = [routeFor('default/first'), routeFor('default/strict')]
  const token = await first.token(NOW)
  for (const [route, expected] of [
    [open, 'default/first'],
    [closed, '403 missing_group'],
    [open, 'default/first'],
    [closed, '403 missing_group'],
  ] as const) {
    made.route = route
    expect(policyOf(await made.askBearer(token))).toBe(expected)
  }
})

test('a slash at an issuer’s end makes no other issuer', async () => {
  const made = harness(SECOND, FIRST)
  expect(policyOf(await made.askBearer(await first.token(NOW, { iss: `${ISSUER}/` })))).toBe('default/first')
  expect(policyOf(await made.askBearer(await first.token(NOW, { iss: `${ISSUER}//` })))).toBe(
    '401 wrong_issuer',
  )
})
