import { describe, expect, test } from 'vitest'
import type { Session, SessionLookup } from '../../src/auth/session/session.ts'
import type { Policy } from '../../src/table/policy.ts'
import { aPolicy } from '../support/a-policy.ts'
import {
  aSession,
  Harness,
  NAVIGATION,
  outcome,
  someFacts,
  upstreamHeaders,
  type HarnessOptions,
} from '../support/authorizer-harness.ts'

const COOKIE = { cookie: 'whatever=1' }
const CLEARED = ['set-cookie', 'gone=; Max-Age=0'] as const
const INVALID: SessionLookup = { kind: 'invalid', clearCookies: [CLEARED] }
const METHODS = ['session', 'bearer', 'authorization_code'] as const

function open(session: Partial<Session> = {}): SessionLookup {
  return { kind: 'session', session: aSession(session), setCookies: [['set-cookie', 'touched=1']] }
}

function harness(lookup: SessionLookup, overrides: Partial<Policy> = {}, options?: HarnessOptions): Harness {
  const policy = aPolicy({ methods: METHODS, ...overrides })
  const made = new Harness([policy], options)
  made.relyingParty.sessions.set(policy.session.realm, lookup)
  return made
}

test('a session passes at once, and its tokens and cookies go their ways', async () => {
  const decision = harness(open({ idTokenClaims: { sub: '00u1' } })).ask(someFacts(COOKIE))
  expect(decision).not.toBeInstanceOf(Promise)
  expect(await decision).toMatchObject({
    kind: 'allow',
    identity: { method: 'session', subject: '00u1' },
    responseHeaders: [['set-cookie', 'touched=1']],
  })
  expect(upstreamHeaders(await decision)['authorization']).toBe('Bearer opaque-access-token')
})

test('claims come from the access token first, then from the ID token', async () => {
  const upstreamHeadersOf = [
    { header: 'x-sub', path: ['sub'] },
    { header: 'x-email', path: ['email'] },
  ]
  const lookup = open({
    accessTokenClaims: { sub: 'alice@example.com' },
    idTokenClaims: { sub: '00u1', email: 'a@example.com' },
  })
  const made = harness(lookup, { upstreamHeaders: upstreamHeadersOf })
  expect(upstreamHeaders(await made.ask(someFacts(COOKIE)))).toMatchObject({
    'x-sub': 'alice@example.com',
    'x-email': 'a@example.com',
    'x-credential-identifier': 'alice@example.com',
  })
})

test('a required scope may come from the token response, but is never assumed', async () => {
  const requirements = { scopes: { claim: ['scope'], anyOf: [['orders.read']] } }
  const ask = async (session: Partial<Session>): Promise<string> =>
    outcome(await harness(open(session), { requirements, scopes: ['orders.read'] }).ask(someFacts(COOKIE)))
  expect(await ask({ scope: 'openid orders.read' })).toBe('allow')
  expect(await ask({})).toBe('403 insufficient_scope')
  expect(await ask({ scope: 'openid orders.read', accessTokenClaims: { scp: ['openid'] } })).toBe(
    '403 insufficient_scope',
  )
})

describe('a session that has ended', () => {
  test('counts as no credential and is cleared: a navigation signs in anew', async () => {
    const decision = await harness(INVALID).ask(someFacts({ ...COOKIE, ...NAVIGATION }))
    expect(decision).toMatchObject({
      kind: 'redirect',
      reason: 'login',
      responseHeaders: [['set-cookie', 'flow=1'], CLEARED],
    })
  })

  test('is cleared on a refusal too, which blames no token', async () => {
    const decision = await harness(INVALID).ask(someFacts(COOKIE))
    expect(decision).toMatchObject({ status: 401, reason: 'no_credential', responseHeaders: [CLEARED] })
  })

  test('does not outlive its access token', async () => {
    const made = harness(open({ accessTokenExpiresAtSeconds: 0 }))
    expect(outcome(await made.ask(someFacts(COOKIE)))).toBe('401 no_credential')
  })

  test('leaves the next credential in force', async () => {
    const made = harness(INVALID)
    const decision = await made.ask(someFacts({ ...COOKIE, authorization: 'Bearer bad' }))
    expect(decision).toMatchObject({ reason: 'invalid_token', responseHeaders: [CLEARED] })
  })
})

test('the session comes before a token beside it', async () => {
  const decision = await harness(open()).ask(someFacts({ ...COOKIE, authorization: 'Bearer bad' }))
  expect(decision).toMatchObject({ kind: 'allow', identity: { method: 'session' } })
  expect(upstreamHeaders(decision)['authorization']).toBe('Bearer opaque-access-token')
})

test('a session whose claims fall short is 403, keeps its cookies, and starts no login', async () => {
  const requirements = { groups: { claim: ['groups'], anyOf: [['Admins']] } }
  const made = harness(open({ idTokenClaims: { groups: ['Everyone'] } }), { requirements })
  const decision = await made.ask(someFacts({ ...COOKIE, ...NAVIGATION }))
  expect(decision).toMatchObject({
    status: 403,
    reason: 'missing_group',
    responseHeaders: [['set-cookie', 'touched=1']],
  })
  expect(made.relyingParty.logins).toEqual([])
})

test('a session that passed before is judged anew on another route, by another policy and after a publish', async () => {
  const claims = { groups: ['Everyone'], sub: 'alice', email: 'alice@example.com' }
  const lookup = open({ idTokenClaims: claims })
  const strict = {
    id: 'default/strict',
    requirements: { groups: { claim: ['groups'], anyOf: [['Admins']] } },
  }
  const policies = [aPolicy({ methods: METHODS }), aPolicy({ methods: METHODS, ...strict })]
  const made = new Harness(policies)
  made.relyingParty.sessions.set(aPolicy().session.realm, lookup)
  const lax = made.route
  const routeOf = (id: string, route: Partial<typeof lax> = {}): typeof lax => ({
    ...lax,
    ...route,
    action: { kind: 'forward', upstream: 'default/orders/80', policies: [id] },
  })
  const ask = async (route: typeof lax): Promise<string> => {
    made.route = route
    return outcome(await made.ask(someFacts(COOKIE)))
  }
  expect(await ask(lax)).toBe('allow')
  expect(made.ask(someFacts(COOKIE))).toMatchObject({ kind: 'allow' })
  expect(await ask(routeOf('default/strict'))).toBe('403 missing_group')
  expect(await ask(routeOf('default/oidc', { accessControl: { allowGroups: ['x'] } }))).toBe(
    '403 group_denied',
  )
  expect(await ask(lax)).toBe('allow')
  made.publish({
    policies: { ...made.table.policies, 'default/oidc': aPolicy({ methods: METHODS, ...strict }) },
  })
  expect(await ask(lax)).toBe('403 missing_group')
  expect(await made.ask(someFacts(COOKIE))).toMatchObject({ who: 'alice@example.com' })
  expect(outcome(await made.ask(someFacts(COOKIE, { method: 'POST' })))).toBe('403 cross_origin')
})

test('a session that passed before still needs proof of origin', async () => {
  const made = harness(open())
  expect(outcome(await made.ask(someFacts(COOKIE)))).toBe('allow')
  expect(outcome(await made.ask(someFacts(COOKIE, { method: 'POST' })))).toBe('403 cross_origin')
})

describe('requests that another site could have made', () => {
  const ask = async (
    method: string,
    headers: Readonly<Record<string, string>>,
    allowedOrigins: readonly string[] = [],
  ): Promise<string> => {
    const session = { ...aPolicy().session, allowedOrigins }
    return outcome(await harness(open(), { session }).ask(someFacts({ ...COOKIE, ...headers }, { method })))
  }

  test.each([
    ['POST', {}, '403 cross_origin'],
    ['DELETE', {}, '403 cross_origin'],
    ['CONNECT', {}, '403 cross_origin'],
    ['post', {}, '403 cross_origin'],
    ['POST', { 'sec-fetch-site': 'cross-site' }, '403 cross_origin'],
    ['POST', { 'sec-fetch-site': 'same-site' }, '403 cross_origin'],
    ['POST', { 'sec-fetch-site': 'none' }, '403 cross_origin'],
    ['POST', { origin: 'null' }, '403 cross_origin'],
    ['POST', { origin: 'https://evil.example' }, '403 cross_origin'],
    ['POST', { origin: 'http://app.example.com' }, '403 cross_origin'],
    ['POST', { origin: 'https://app.example.com:8443' }, '403 cross_origin'],
    ['POST', { origin: 'https://app.example.com.evil.example' }, '403 cross_origin'],
    ['GET', { upgrade: 'websocket', origin: 'https://evil.example' }, '403 cross_origin'],
    ['GET', { upgrade: 'websocket' }, '403 cross_origin'],
    ['GET', { upgrade: 'websocket', origin: 'https://app.example.com' }, 'allow'],
    ['POST', { 'sec-fetch-site': 'same-origin' }, 'allow'],
    ['POST', { origin: 'https://app.example.com' }, 'allow'],
    ['POST', { origin: 'https://app.example.com:443' }, 'allow'],
    ['GET', { 'sec-fetch-site': 'cross-site' }, 'allow'],
    ['HEAD', { origin: 'https://evil.example' }, 'allow'],
    ['OPTIONS', { origin: 'https://evil.example' }, 'allow'],
  ])('%s with %j: %s', async (method, headers, expected) => {
    expect(await ask(method, headers)).toBe(expected)
  })

  test('an origin that the policy allows passes, exactly', async () => {
    const allowed = ['https://admin.example.com/']
    expect(await ask('POST', { origin: 'https://admin.example.com' }, allowed)).toBe('allow')
    expect(await ask('POST', { origin: 'https://a.admin.example.com' }, allowed)).toBe('403 cross_origin')
  })
})

test('each realm of the route is asked, in order', async () => {
  const other = aPolicy({
    id: 'default/other',
    methods: ['session'],
    session: { ...aPolicy().session, realm: 'fedcba9876543210' },
  })
  const made = new Harness([aPolicy({ methods: ['session'] }), other])
  made.relyingParty.sessions.set(aPolicy().session.realm, INVALID)
  made.relyingParty.sessions.set(other.session.realm, open())
  expect(await made.ask(someFacts(COOKIE))).toMatchObject({
    identity: { policy: 'default/other' },
    responseHeaders: [['set-cookie', 'touched=1'], CLEARED],
  })
})

test('a store that answers later is waited for', async () => {
  const made = harness(INVALID)
  made.relyingParty.openSession = () => Promise.resolve(open()) as never
  expect(outcome(await made.ask(someFacts(COOKIE)))).toBe('allow')
})

test('a policy without the session method takes no session', async () => {
  const made = harness(open(), { methods: ['bearer'] })
  expect(outcome(await made.ask(someFacts(COOKIE)))).toBe('401 no_credential')
})
