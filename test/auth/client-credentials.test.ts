import { beforeAll, describe, expect, test } from 'vitest'
import type { Answer, TokenSet } from '../../src/auth/authorization-server/authorization-server-client.ts'
import type { RequestFacts } from '../../src/auth/request-facts.ts'
import type { Policy } from '../../src/table/policy.ts'
import { aPolicy, OWN_CLIENT } from '../support/a-policy.ts'
import { Harness, outcome, someFacts, upstreamHeaders } from '../support/authorizer-harness.ts'
import { DOWN } from '../support/fake-authorization-server-client.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { Signer } from '../support/signed-tokens.ts'

const NOW = new ManualClock().now()
let signer: Signer
let token: string

beforeAll(async () => {
  signer = await Signer.create('k1')
  token = await signer.token(NOW, { sub: 'orders-service' })
})

const WRONG_SECRET = {
  ok: false,
  kind: 'refused',
  error: 'invalid_client',
  description: 'the secret orders-secret is wrong',
} as const

function issued(accessToken = token, more: Partial<TokenSet> = {}): Answer<TokenSet> {
  return { ok: true, value: { accessToken, tokenType: 'Bearer', expiresInSeconds: 3600, ...more } }
}

function harness(overrides: Partial<Policy> = {}, answer = issued()): Harness {
  const made = new Harness([
    aPolicy({ methods: ['client_credentials'], scopes: ['orders.read'], ...overrides }),
  ])
  made.serveKeys(signer)
  made.servers.onGrant = () => answer
  return made
}

function basic(id: string, secret: string): RequestFacts {
  return basicText(`${id}:${secret}`)
}

function basicText(text: string): RequestFacts {
  return someFacts({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
}

const ORDERS = basic('orders-service', 'orders-secret')

test('id and secret are replayed at the token endpoint, and the token goes upstream instead of them', async () => {
  const made = harness({ audience: ['api://default'] })
  const decision = await made.ask(ORDERS)
  expect(decision).toMatchObject({
    identity: { method: 'client_credentials', subject: 'orders-service' },
    removeHeaders: ['authorization'],
  })
  expect(upstreamHeaders(decision)['authorization']).toBe(`Bearer ${token}`)
  expect(made.servers.grants).toEqual([
    {
      client: { id: 'orders-service', secret: 'orders-secret', authMethod: 'client_secret_basic' },
      scopes: ['orders.read'],
      audience: ['api://default'],
      tokenArguments: [],
    },
  ])
})

test('the client authenticates as the policy’s own does, but never without its secret', async () => {
  const methods: string[] = []
  for (const tokenEndpointAuthMethod of ['client_secret_post', 'none'] as const) {
    const made = harness({ client: { ...OWN_CLIENT, tokenEndpointAuthMethod } })
    await made.ask(ORDERS)
    methods.push(made.servers.grants[0]?.client.authMethod ?? '')
  }
  expect(methods).toEqual(['client_secret_post', 'client_secret_basic'])
})

test('scopes that need a user are left out: Okta refuses the grant for them', async () => {
  const made = harness({ scopes: ['openid', 'orders.read', 'offline_access'] })
  await made.ask(ORDERS)
  expect(made.servers.grants[0]?.scopes).toEqual(['orders.read'])
})

describe('refusals', () => {
  test.each([
    ['a wrong secret', WRONG_SECRET, '401 invalid_client'],
    ['a scope not granted', { ok: false, kind: 'refused', error: 'invalid_scope' }, '401 server_refused'],
    ['a server that is down', DOWN, 'unavailable authorization_server_unavailable'],
    ['a token that is no Bearer', issued('x', { tokenType: 'DPoP' }), '401 server_refused'],
  ] as const)('%s', async (_name, answer, expected) => {
    const decision = await harness({}, answer).ask(ORDERS)
    expect(outcome(decision)).toBe(expected)
    expect(JSON.stringify(decision)).not.toContain('orders-secret')
  })

  test.each([
    ['for another audience', { aud: 'x' }, '401 wrong_audience'],
    ['of another issuer', { iss: 'https://evil.example' }, '401 wrong_issuer'],
    ['that is expired', { exp: 1 }, '401 expired_token'],
  ])('an issued token %s', async (_name, claims, expected) => {
    const made = harness({}, issued(await signer.token(NOW, claims)))
    expect(outcome(await made.ask(ORDERS))).toBe(expected)
  })

  test('an issued token under a stranger’s key', async () => {
    const stranger = await Signer.create('k1')
    expect(outcome(await harness({}, issued(await stranger.token(NOW))).ask(ORDERS))).toBe(
      '401 invalid_token',
    )
  })

  test('keys out of reach are 503', async () => {
    const made = harness()
    made.servers.onKeys = () => DOWN
    expect(outcome(await made.ask(ORDERS))).toBe('unavailable authorization_server_unavailable')
  })

  test('are final, name both schemes, and blame no access token', async () => {
    const decision = await harness({}, WRONG_SECRET).ask(ORDERS)
    expect(decision).toMatchObject({
      wwwAuthenticate: ['Bearer realm="app.example.com"', 'Basic realm="app.example.com", charset="UTF-8"'],
    })
  })

  test.each([
    ['no colon', basicText('orders-service')],
    ['no id', basicText(':secret')],
    ['no base64', someFacts({ authorization: 'Basic ***' })],
    ['nothing', someFacts({ authorization: 'Basic' })],
    ['a line break', basicText('id:secret\nscope: admin')],
    ['an encoded line break', basicText('id%0D:secret')],
    ['too much', basicText(`id:${'s'.repeat(5000)}`)],
    [
      'bytes that are no UTF-8',
      someFacts({ authorization: `Basic ${Buffer.from([255, 58, 65]).toString('base64')}` }),
    ],
  ])('Basic with %s asks nobody', async (_name, facts) => {
    const made = harness()
    expect(outcome(await made.ask(facts))).toBe('401 invalid_client')
    expect(made.servers.grants).toEqual([])
  })
})

describe('how the parts of Basic are read', () => {
  test.each([
    ['raw', 'id', 'secret', 'id', 'secret'],
    ['raw with plus and percent', 'id', 'a+b/c=100%', 'id', 'a+b/c=100%'],
    ['raw with colons', 'id', 'a:b:c', 'id', 'a:b:c'],
    ['form-urlencoded', 'my%3Aid', 'a+b%2Bc%25', 'my:id', 'a b+c%'],
    ['UTF-8', 'ïd', 'sécret', 'ïd', 'sécret'],
    ['escapes that are no UTF-8', 'id', '%ff', 'id', '%ff'],
    ['an empty secret', 'id', '', 'id', ''],
  ])('%s', async (_name, id, secret, expectedId, expectedSecret) => {
    const made = harness()
    await made.ask(basic(id, secret))
    expect(made.servers.grants[0]?.client).toMatchObject({ id: expectedId, secret: expectedSecret })
  })
})

describe('query and form', () => {
  const query = 'client_id=orders-service&client_secret=orders-secret&page=2'
  const form = async (): Promise<URLSearchParams> => new URLSearchParams(query)
  const withForm = someFacts(
    { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    { method: 'POST', form },
  )

  test('are not looked at unless allowed', async () => {
    const made = harness()
    expect(outcome(await made.ask(someFacts({}, { query })))).toBe('401 no_credential')
    expect(outcome(await made.ask(withForm))).toBe('401 no_credential')
  })

  test('are looked at where allowed, and hidden', async () => {
    const made = harness({ clientCredentials: { places: ['query', 'body'], cache: true } })
    expect(await made.ask(someFacts({}, { query }))).toMatchObject({
      kind: 'allow',
      removeQuery: ['client_id', 'client_secret'],
      removeForm: [],
    })
    expect(await made.ask(withForm)).toMatchObject({
      kind: 'allow',
      removeQuery: [],
      removeForm: ['client_id', 'client_secret'],
    })
  })

  test('bodies of other types are not read', async () => {
    const made = harness({ clientCredentials: { places: ['body'], cache: true } })
    const facts = someFacts(
      { 'content-type': 'application/json' },
      { form: () => Promise.reject(new Error('must not be read')) },
    )
    expect(outcome(await made.ask(facts))).toBe('401 no_credential')
  })

  test('an id said twice is refused', async () => {
    const made = harness({ clientCredentials: { places: ['query'], cache: true } })
    const twice = someFacts({}, { query: `${query}&client_id=admin` })
    expect(outcome(await made.ask(twice))).toBe('401 invalid_client')
  })

  test('an id alone is no credential', async () => {
    const made = harness({ clientCredentials: { places: ['query'], cache: true } })
    expect(outcome(await made.ask(someFacts({}, { query: 'client_id=x' })))).toBe('401 no_credential')
  })
})

describe('the cache', () => {
  test('serves until shortly before expiry', async () => {
    const made = harness()
    await made.ask(ORDERS)
    made.clock.advance(3_569_999)
    expect(made.ask(ORDERS)).not.toBeInstanceOf(Promise)
    expect(made.servers.grants).toHaveLength(1)
    made.clock.advance(1)
    await made.ask(ORDERS)
    expect(made.servers.grants).toHaveLength(2)
  })

  test.each([
    ['0', 0],
    ['negative', -1],
  ])('never keeps a token with a lifetime that is %s', async (_name, expiresInSeconds) => {
    const made = harness({}, issued(token, { expiresInSeconds }))
    await made.ask(ORDERS)
    await made.ask(ORDERS)
    expect(made.servers.grants).toHaveLength(2)
  })

  test('keeps nothing longer than its maximum', async () => {
    const made = harness({ cache: { ttlSeconds: 3600, negativeTtlSeconds: 5, maximumTtlSeconds: 165 } })
    await made.ask(ORDERS)
    made.clock.advance(165_000)
    await made.ask(ORDERS)
    expect(made.servers.grants).toHaveLength(2)
  })

  test('a token that expires before its answer said is fetched anew', async () => {
    const answers = [
      issued(await signer.token(NOW, { exp: NOW / 1000 + 10 })),
      issued(await signer.token(NOW, { jti: '2' })),
    ]
    const made = harness()
    made.servers.onGrant = () => answers.shift() ?? DOWN
    expect(outcome(await made.ask(ORDERS))).toBe('allow')
    made.clock.advance(10_000)
    expect(outcome(await made.ask(ORDERS))).toBe('allow')
    expect(made.servers.grants).toHaveLength(2)
  })

  test('a wrong secret is remembered for seconds, and so is a token that is no good', async () => {
    for (const answer of [WRONG_SECRET, issued(await signer.token(NOW, { aud: 'x' }))]) {
      const made = harness({}, answer)
      await made.ask(ORDERS)
      made.clock.advance(4999)
      expect(outcome(await made.ask(ORDERS))).toMatch(/^401/)
      expect(made.servers.grants).toHaveLength(1)
      made.clock.advance(1)
      made.servers.onGrant = () => issued()
      expect(outcome(await made.ask(ORDERS))).toBe('allow')
    }
  })

  test('is not pushed out by wrong secrets, however many are tried', async () => {
    const made = harness()
    await made.ask(ORDERS)
    made.servers.onGrant = () => WRONG_SECRET
    for (let guess = 0; guess < 10_100; guess += 1) await made.ask(basic('orders-service', `guess-${guess}`))
    const asked = made.servers.grants.length
    expect(await made.ask(ORDERS)).toMatchObject({ kind: 'allow' })
    expect(made.servers.grants).toHaveLength(asked)
  })

  test('an outage is not remembered', async () => {
    const made = harness({}, DOWN)
    await made.ask(ORDERS)
    made.servers.onGrant = () => issued()
    expect(outcome(await made.ask(ORDERS))).toBe('allow')
  })

  test('is off when told, but requests at once still share one fetch', async () => {
    const made = harness({ clientCredentials: { places: ['header'], cache: false } })
    await Promise.all(Array.from({ length: 20 }, async () => await made.ask(ORDERS)))
    expect(made.servers.grants).toHaveLength(1)
    await made.ask(ORDERS)
    expect(made.servers.grants).toHaveLength(2)
  })

  test('keeps ids, secrets and revisions apart', async () => {
    const made = harness()
    made.servers.onGrant = ({ client }) => (client.secret === 'orders-secret' ? issued() : WRONG_SECRET)
    expect(outcome(await made.ask(ORDERS))).toBe('allow')
    expect(outcome(await made.ask(basic('orders-service', 'guess')))).toBe('401 invalid_client')
    // One string, parted elsewhere.
    expect(outcome(await made.ask(basic('orders-service:orders', '-secret')))).toBe('401 invalid_client')
    expect(outcome(await made.ask(ORDERS))).toBe('allow')
    const revised = aPolicy({ methods: ['client_credentials'], scopes: ['orders.write'], revision: 'uid-2' })
    made.publish({ policies: { 'default/oidc': revised } })
    await made.ask(ORDERS)
    expect(made.servers.grants.at(-1)?.scopes).toEqual(['orders.write'])
  })
})

describe('an opaque issued token', () => {
  const opaque = issued('opaque', { scope: 'orders.read' })
  const requirements = { scopes: { claim: ['scope'], anyOf: [['orders.read']] } }

  test('is the server’s fresh answer where nothing introspects it', async () => {
    const decision = await harness({ requirements }, opaque).ask(ORDERS)
    expect(decision).toMatchObject({ kind: 'allow', identity: { subject: 'orders-service' } })
  })

  test('has no scope that was not granted', async () => {
    const made = harness({ requirements, scopes: ['orders.read'] }, issued('opaque', { scope: 'other' }))
    expect(outcome(await made.ask(ORDERS))).toBe('403 insufficient_scope')
  })

  test('is introspected where that method is on; when it was revoked, one new token is tried', async () => {
    const introspection = { ...aPolicy().introspection, cache: false }
    const methods = ['client_credentials', 'introspection'] as const
    const made = harness({ methods, introspection, client: OWN_CLIENT }, opaque)
    const revoked = new Set<string>()
    made.servers.onIntrospect = (request) => ({
      ok: true,
      value: { active: !revoked.has(request.token), claims: { sub: 'svc' } },
    })
    expect(await made.ask(ORDERS)).toMatchObject({ kind: 'allow', identity: { subject: 'svc' } })
    revoked.add('opaque')
    made.servers.onGrant = () => issued('opaque-2')
    expect(upstreamHeaders(await made.ask(ORDERS))['authorization']).toBe('Bearer opaque-2')
    revoked.add('opaque-2')
    expect(outcome(await made.ask(ORDERS))).toBe('401 inactive_token')
    expect(made.servers.grants).toHaveLength(3)
  })

  test('may not smuggle anything into the header', async () => {
    const made = harness({}, issued('a\r\nx-consumer-id: root'))
    expect(outcome(await made.ask(ORDERS))).toBe('401 invalid_token')
  })
})

test('with introspectJwtTokens an issued JWT is introspected too, or refused where it cannot be', async () => {
  const introspection = { ...aPolicy().introspection, introspectJwtTokens: true, cache: false }
  const methods = ['client_credentials', 'introspection'] as const
  const made = harness({ methods, introspection, client: OWN_CLIENT })
  made.servers.onIntrospect = () => ({ ok: true, value: { active: false, claims: {} } })
  expect(outcome(await made.ask(ORDERS))).toBe('401 inactive_token')
  const unable = harness({ introspection, client: OWN_CLIENT })
  unable.servers.onIntrospect = () => ({ ok: true, value: { active: true, claims: {} } })
  expect(outcome(await unable.ask(ORDERS))).toBe('401 invalid_token')
})

test('hideCredentials false leaves Basic only where no token replaces it', async () => {
  const replaced = await harness({ hideCredentials: false }).ask(ORDERS)
  expect(upstreamHeaders(replaced)['authorization']).toBe(`Bearer ${token}`)
  const accessTokenHeader = { name: 'x-token', bearer: false }
  const beside = await harness({ hideCredentials: false, accessTokenHeader }).ask(ORDERS)
  expect(beside).toMatchObject({ removeHeaders: ['x-token'] })
  const hidden = await harness({ accessTokenHeader }).ask(ORDERS)
  expect(hidden).toMatchObject({ removeHeaders: ['x-token', 'authorization'] })
  expect(upstreamHeaders(hidden)).toMatchObject({ 'x-token': token })
})
