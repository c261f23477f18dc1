import { beforeAll, describe, expect, test } from 'vitest'
import { CacheCounts } from '../../src/auth/cache-counts.ts'
import { createAuthorizer } from '../../src/auth/create-authorizer.ts'
import type { Policy } from '../../src/table/policy.ts'
import { aPolicy, ISSUER, OWN_CLIENT } from '../support/a-policy.ts'
import { Harness, outcome, someFacts } from '../support/authorizer-harness.ts'
import { aHost } from '../support/snapshot.ts'
import { Signer } from '../support/signed-tokens.ts'

let signer: Signer

beforeAll(async () => {
  signer = await Signer.create('k1')
})

function harness(overrides: Partial<Policy> = {}, ...others: readonly Policy[]): Harness {
  const made = new Harness([aPolicy(overrides), ...others])
  made.serveKeys(signer)
  return made
}

function allowing(...issuers: readonly string[]): Partial<Policy> {
  return { verification: { ...aPolicy().verification, issuers } }
}

describe('issuersAllowed', () => {
  const V1 = 'https://sts.example.com/tenant/'

  test.each([
    [V1, 'allow'],
    [V1.slice(0, -1), 'allow'],
    [ISSUER, '401 wrong_issuer'],
    [`${V1}/`, '401 wrong_issuer'],
    [`${V1}.evil.example`, '401 wrong_issuer'],
    [[V1], '401 wrong_issuer'],
  ])('stands in for the issuer: %j', async (iss, expected) => {
    const made = harness(allowing(V1))
    expect(outcome(await made.askBearer(await signer.token(made.clock.now(), { iss })))).toBe(expected)
  })

  test('may list the issuer beside others, and routes a token to the policy that lists its issuer', async () => {
    const second = aPolicy({ id: 'default/second', revision: 'uid-2', ...allowing(ISSUER, V1) })
    const made = harness({}, second)
    const ask = async (iss: string): Promise<unknown> =>
      await made.askBearer(await signer.token(made.clock.now(), { iss }))
    expect(await ask(ISSUER)).toMatchObject({ identity: { policy: 'default/oidc' } })
    expect(await ask(V1)).toMatchObject({ identity: { policy: 'default/second' } })
  })
})

describe('bearerTokenHeaderName', () => {
  const bearer = { places: ['header'], headerName: 'x-api-token' } as const

  test('is the one header that is looked in, with or without a scheme', async () => {
    const made = harness({ bearer })
    const token = await signer.token(made.clock.now())
    for (const value of [token, `Bearer ${token}`]) {
      const decision = await made.ask(someFacts({ 'x-api-token': value }))
      expect(decision).toMatchObject({ kind: 'allow', removeHeaders: ['authorization', 'x-api-token'] })
    }
    for (const name of ['access-token', 'x-access-token']) {
      expect(outcome(await made.ask(someFacts({ [name]: token })))).toBe('401 no_credential')
    }
    expect(outcome(await made.askBearer(token))).toBe('401 no_credential')
  })

  test('twice is no choice, and nonsense in it is no absence', async () => {
    const made = harness({ bearer })
    const token = await signer.token(made.clock.now())
    expect(outcome(await made.ask(someFacts({ 'x-api-token': [token, token] })))).toBe('400 invalid_request')
    expect(outcome(await made.ask(someFacts({ 'x-api-token': '' })))).toBe('401 invalid_token')
    expect(outcome(await made.ask(someFacts({ 'x-api-token': `${token}, ${token}` })))).toBe(
      '401 invalid_token',
    )
  })

  test('one policy’s header is none of the next one’s', async () => {
    const second = aPolicy({ id: 'default/second', revision: 'uid-2' })
    const made = harness({ bearer, ...allowing('https://other.example.com') }, second)
    const token = await signer.token(made.clock.now())
    expect(outcome(await made.ask(someFacts({ 'x-api-token': token })))).toBe('401 wrong_issuer')
    expect(await made.askBearer(token)).toMatchObject({ identity: { policy: 'default/second' } })
  })

  test('authorization alone leaves out its stand-ins', async () => {
    const made = harness({ bearer: { places: ['header'], headerName: 'authorization' } })
    const token = await signer.token(made.clock.now())
    expect(outcome(await made.askBearer(token))).toBe('allow')
    expect(outcome(await made.ask(someFacts({ authorization: `Basic ${token}` })))).toBe('401 no_credential')
    expect(outcome(await made.ask(someFacts({ 'x-access-token': token })))).toBe('401 no_credential')
  })
})

describe('what a refusal tells', () => {
  const refusal = aPolicy().refusal

  test('exposeErrorCode: false leaves a challenge without reasons', async () => {
    const made = harness({
      refusal: { ...refusal, exposeErrorCode: false },
      requirements: { scopes: { claim: ['scope'], anyOf: [['admin']] } },
    })
    const bare = ['Bearer realm="app.example.com"']
    expect(await made.askBearer('nonsense')).toMatchObject({ status: 401, wwwAuthenticate: bare })
    const short = await made.askBearer(await signer.token(made.clock.now()))
    expect(short).toMatchObject({ status: 403, wwwAuthenticate: bare })
  })

  test('displayErrors adds the reason, and nothing that was sent', async () => {
    const made = harness({ refusal: { ...refusal, displayErrors: true } })
    expect(await made.askBearer('hunter2')).toMatchObject({ message: 'Unauthorized (invalid_token)' })
    expect(await harness().askBearer('hunter2')).toMatchObject({ message: 'Unauthorized' })
  })
})

test('caches tell how they are used', async () => {
  const caches = new CacheCounts()
  const made = harness({ methods: ['bearer', 'introspection', 'client_credentials'], client: OWN_CLIENT })
  const authorizer = createAuthorizer(
    { clock: made.clock, authorizationServers: made.servers, randomBytes: (n) => Buffer.alloc(n), caches },
    made.relyingParty,
  )
  const jwt = await signer.token(made.clock.now())
  made.servers.onIntrospect = ({ token }) => ({
    ok: true,
    value: { active: token === 'opaque', claims: { sub: 'a' } },
  })
  made.servers.onGrant = () => ({ ok: true, value: { accessToken: jwt, tokenType: 'Bearer' } })
  const ask = async (authorization: string): Promise<string> =>
    outcome(
      await authorizer.authorize(
        made.snapshot,
        aHost('app.example.com', [made.route]),
        made.route,
        someFacts({ authorization }),
      ),
    )
  for (const credential of [`Bearer ${jwt}`, 'Bearer opaque', `Basic ${btoa('a:b')}`]) {
    for (let time = 0; time < 3; time += 1) expect(await ask(credential)).toBe('allow')
  }
  for (let time = 0; time < 2; time += 1) expect(await ask('Bearer gone')).toBe('401 inactive_token')
  const counts = Object.fromEntries(caches.list().map(({ cache, ...count }) => [cache, count]))
  expect(counts).toEqual({
    // Of the client: once before its token was known, and the token's own look-up then found it.
    decisions: { entries: 3, hits: 6, misses: 5 },
    tokens: { entries: 1, hits: 1, misses: 1 },
    introspection: { entries: 2, hits: 1, misses: 2 },
    client_credentials: { entries: 1, hits: 2, misses: 1 },
    user_info: { entries: 0, hits: 0, misses: 0 },
  })
})
