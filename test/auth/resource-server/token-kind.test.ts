import { beforeAll, describe, expect, test } from 'vitest'
import type { Policy } from '../../../src/table/policy.ts'
import { aPolicy, ISSUER, OWN_CLIENT } from '../../support/a-policy.ts'
import { Harness, outcome, someFacts } from '../../support/authorizer-harness.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Signer } from '../../support/signed-tokens.ts'

const NOW = new ManualClock().now()
const OKTA_ORG = { typ: 'application/okta-internal-at+jwt' }
let signer: Signer

beforeAll(async () => {
  signer = await Signer.create('k1')
})

function bearer(): Harness {
  const made = new Harness([aPolicy()])
  made.serveKeys(signer)
  return made
}

function introspecting(overrides: Partial<Policy> = {}): Harness {
  const introspection = { ...aPolicy().introspection, introspectJwtTokens: true }
  const made = new Harness([
    aPolicy({ methods: ['introspection'], client: OWN_CLIENT, introspection, ...overrides }),
  ])
  const claims = { sub: 'alice', iss: ISSUER, aud: 'api://default', token_type: 'Bearer' }
  made.servers.onIntrospect = () => ({ ok: true, value: { active: true, claims } })
  return made
}

describe('a nonce', () => {
  test.each([
    ['typ', 'Bearer'],
    ['token_use', 'access'],
  ])('does not make an ID token of what says %s: %s, as older Keycloak has it', async (name, kind) => {
    const token = await signer.token(NOW, { [name]: kind, nonce: 'n' })
    expect(outcome(await bearer().askBearer(token))).toBe('allow')
  })

  test.each([
    ['without such a mark', { nonce: 'n' }],
    ["beside Keycloak's mark of an ID token", { nonce: 'n', typ: 'ID' }],
    ["beside two marks, one of them an ID token's", { nonce: 'n', typ: 'Bearer', token_use: 'id' }],
    ['beside a mark that is no text', { nonce: 'n', typ: ['Bearer'] }],
    ["beside an ID token's at_hash", { nonce: 'n', typ: 'Bearer', at_hash: 'h' }],
    ['beside the key that binds it', { nonce: 'n', typ: 'Bearer', cnf: { jkt: 'k' } }],
  ])('is refused %s', async (_name, claims) => {
    const token = await signer.token(NOW, claims)
    expect(outcome(await bearer().askBearer(token))).toBe('401 invalid_token')
  })
})

describe("a token of Okta's org authorization server", () => {
  test('passes where that server is asked', async () => {
    const made = introspecting()
    expect(outcome(await made.askBearer(await signer.token(NOW, {}, OKTA_ORG)))).toBe('allow')
    expect(made.servers.introspections).toHaveLength(1)
  })

  test('passes on no signature: only Okta may verify it', async () => {
    expect(outcome(await bearer().askBearer(await signer.token(NOW, {}, OKTA_ORG)))).toBe('401 invalid_token')
  })
})

test.each([
  ['a logout token', {}, { typ: 'logout+jwt' }],
  ['an ID token', { nonce: 'n' }, {}],
])('nobody is asked about %s', async (_name, claims, header) => {
  const made = introspecting()
  expect(outcome(await made.askBearer(await signer.token(NOW, claims, header)))).toBe('401 invalid_token')
  expect(made.servers.introspections).toEqual([])
})

test('a JWT of another issuer is not told to the server of this one, and one that names none is', async () => {
  const made = introspecting()
  const foreign = await signer.token(NOW, { iss: 'https://other.example' })
  expect(outcome(await made.askBearer(foreign))).toBe('401 wrong_issuer')
  expect(made.servers.introspections).toEqual([])
  expect(outcome(await made.askBearer(await signer.token(NOW, { iss: undefined })))).toBe('allow')
})

test('a JWT that a client was given passes as its own, and not where it is sent as a bearer token', async () => {
  const made = new Harness([
    aPolicy({ methods: ['introspection', 'client_credentials'], client: OWN_CLIENT }),
  ])
  made.serveKeys(signer)
  const accessToken = await signer.token(NOW)
  made.servers.onGrant = () => ({
    ok: true,
    value: { accessToken, tokenType: 'Bearer', expiresInSeconds: 3600 },
  })
  const basic = `Basic ${Buffer.from('orders:secret').toString('base64')}`
  const asClient = (): unknown => made.ask(someFacts({ authorization: basic }))
  expect(await asClient()).toMatchObject({ kind: 'allow' })
  expect(outcome(await made.askBearer(accessToken))).toBe('401 invalid_token')
  expect(await asClient()).toMatchObject({ kind: 'allow' })
})
