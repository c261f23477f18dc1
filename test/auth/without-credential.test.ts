import { describe, expect, test } from 'vitest'
import type { RequestFacts } from '../../src/auth/request-facts.ts'
import type { Policy } from '../../src/table/policy.ts'
import { aPolicy } from '../support/a-policy.ts'
import {
  Harness,
  NAVIGATION,
  outcome,
  someFacts,
  type HarnessOptions,
} from '../support/authorizer-harness.ts'

function harness(overrides: Partial<Policy> = {}, options?: HarnessOptions): Harness {
  return new Harness([aPolicy(overrides)], options)
}

const LOGIN = { methods: ['session', 'bearer', 'authorization_code'] } as const

describe('who is sent to sign in', () => {
  test.each([
    ['a navigation', NAVIGATION, {}, 'redirect login'],
    ['plain http with Accept', { accept: 'text/html' }, {}, 'redirect login'],
    [
      'fetch() of a page',
      { ...NAVIGATION, 'sec-fetch-mode': 'cors', accept: 'text/html' },
      {},
      '401 no_credential',
    ],
    ['a frame', { ...NAVIGATION, 'sec-fetch-dest': 'iframe' }, {}, '401 no_credential'],
    ['a program', { accept: 'application/json' }, {}, '401 no_credential'],
    ['a form', NAVIGATION, { method: 'POST' }, '401 no_credential'],
    ['a bad token', { ...NAVIGATION, authorization: 'Bearer bad' }, {}, '401 invalid_token'],
    ['an empty token', { ...NAVIGATION, authorization: 'Bearer' }, {}, '401 invalid_token'],
  ])('%s: %s', async (_name, headers, overrides, expected) => {
    expect(outcome(await harness(LOGIN).ask(someFacts(headers, overrides)))).toBe(expected)
  })

  test('nobody where no policy signs in', async () => {
    expect(outcome(await harness().ask(someFacts(NAVIGATION)))).toBe('401 no_credential')
  })
})

describe('challenges', () => {
  test('carry no error where nothing was sent', async () => {
    expect(await harness().ask(someFacts())).toMatchObject({
      status: 401,
      message: 'Unauthorized',
      wwwAuthenticate: ['Bearer realm="app.example.com"'],
    })
  })

  test('offer Basic where client credentials are taken', async () => {
    const decision = await harness({ methods: ['client_credentials', 'bearer'] }).ask(someFacts())
    expect(decision).toMatchObject({
      wwwAuthenticate: ['Bearer realm="app.example.com"', 'Basic realm="app.example.com", charset="UTF-8"'],
    })
  })

  test('hold nothing of a hostile host', async () => {
    const decision = await harness().ask(someFacts({}, { host: 'a", error="x\\' }))
    expect(decision).toMatchObject({ wwwAuthenticate: ['Bearer realm="aerrorx"'] })
  })
})

describe('preflights', () => {
  const headers = { origin: 'https://spa.example.com', 'access-control-request-method': 'PUT' }
  const options: Partial<RequestFacts> = { method: 'OPTIONS' }

  test('pass, known to nobody, with every header that could be ours taken out', async () => {
    const upstreamHeaders = [{ header: 'x-email', path: ['email'] }]
    const decision = await harness({ upstreamHeaders }).ask(
      someFacts({ ...headers, authorization: 'Bearer bad' }, options),
    )
    expect(decision).toMatchObject({
      kind: 'allow',
      identity: { method: 'anonymous', groups: [] },
      removeHeaders: ['x-email', 'authorization'],
      setHeaders: [],
    })
  })

  test.each([
    ['without Origin', { ...headers, origin: undefined }, options],
    ['without the method asked for', { origin: headers.origin }, options],
    ['by another method', headers, { method: 'GET' }],
    ['by a method in other letters', headers, { method: 'options' }],
    ['by an override', { ...headers, 'x-http-method-override': 'OPTIONS' }, { method: 'POST' }],
  ])('%s are none', async (_name, sent, overrides) => {
    expect(outcome(await harness().ask(someFacts(sent, overrides)))).toBe('401 no_credential')
  })

  test('are authenticated with runOnPreflight, of one policy among several', async () => {
    const strict = aPolicy({ id: 'default/strict', runOnPreflight: true })
    const made = new Harness([aPolicy(), strict])
    expect(outcome(await made.ask(someFacts(headers, options)))).toBe('401 no_credential')
  })
})

describe('anonymous', () => {
  const consumers = [{ id: 'c1', username: 'guest', groups: ['guests'] }]
  const consumer = { ...aPolicy().consumer, anonymous: 'guest' }

  test('stands in for a request without a credential', async () => {
    const decision = await harness({ consumer }, { consumers }).ask(someFacts())
    expect(decision).toMatchObject({
      kind: 'allow',
      identity: { method: 'anonymous', consumer: { id: 'c1', username: 'guest' }, groups: ['guests'] },
      removeHeaders: ['authorization'],
      setHeaders: [
        ['x-consumer-id', 'c1'],
        ['x-consumer-username', 'guest'],
        ['x-consumer-groups', 'guests'],
        ['x-anonymous-consumer', 'true'],
      ],
    })
  })

  test('does not stand in for a bad credential', async () => {
    expect(outcome(await harness({ consumer }, { consumers }).askBearer('bad'))).toBe('401 invalid_token')
  })

  test('comes after the sign-in of a navigation', async () => {
    const made = harness({ ...LOGIN, consumer }, { consumers })
    expect(outcome(await made.ask(someFacts(NAVIGATION)))).toBe('redirect login')
    expect(outcome(await made.ask(someFacts()))).toBe('allow')
  })

  test('that does not exist is 503: the route stays closed', async () => {
    expect(outcome(await harness({ consumer }).ask(someFacts()))).toBe(
      'unavailable anonymous_consumer_not_found',
    )
  })

  test('is a username of the policy’s namespace, not a customId or another namespace’s', async () => {
    const others = [{ id: 'c2', customId: 'guest', groups: [] }]
    const made = harness({ consumer }, { consumers: others })
    made.publish({ consumers: { default: others, other: consumers } })
    expect(outcome(await made.ask(someFacts()))).toBe('unavailable anonymous_consumer_not_found')
  })

  test('is subject to the route’s groups', async () => {
    const route = { accessControl: { allowGroups: ['staff'] } }
    expect(outcome(await harness({ consumer }, { consumers, route }).ask(someFacts()))).toBe(
      '403 group_denied',
    )
  })
})

describe('redirects of refusals', () => {
  const refusal = {
    ...aPolicy().refusal,
    unauthorizedMessage: 'Who are you?',
    forbiddenMessage: 'Not you',
    unauthorizedRedirectUri: 'https://www.example.com/denied?why=401',
    forbiddenRedirectUri: 'https://www.example.com/denied?why=403',
  }

  test('are for navigations alone', async () => {
    expect(await harness({ refusal }).ask(someFacts(NAVIGATION))).toMatchObject({
      kind: 'redirect',
      status: 302,
      location: refusal.unauthorizedRedirectUri,
      reason: 'no_credential',
    })
    expect(await harness({ refusal }).ask(someFacts())).toMatchObject({
      status: 401,
      message: 'Who are you?',
    })
  })

  test('of a 403 go elsewhere than those of a 401', async () => {
    const consumer = { ...aPolicy().consumer, anonymous: 'guest' }
    const consumers = [{ id: 'c1', username: 'guest', groups: [] }]
    const made = harness(
      { refusal, consumer },
      { consumers, route: { accessControl: { allowGroups: ['x'] } } },
    )
    expect(await made.ask(someFacts(NAVIGATION))).toMatchObject({ location: refusal.forbiddenRedirectUri })
  })

  test('never lead back to the page that refused', async () => {
    const facts = someFacts(NAVIGATION, { authority: 'www.example.com', path: '/denied' })
    expect(outcome(await harness({ refusal }).ask(facts))).toBe('401 no_credential')
  })
})

describe('a broken table lets nothing pass', () => {
  test('a policy that is missing', async () => {
    const made = harness()
    made.publish({ policies: {} })
    expect(outcome(await made.ask(someFacts()))).toBe('unavailable policy_missing')
  })

  test('one of two policies that is missing', async () => {
    const made = new Harness([aPolicy(), aPolicy({ id: 'default/second' })])
    made.publish({ policies: { 'default/oidc': aPolicy() } })
    expect(outcome(await made.ask(someFacts()))).toBe('unavailable policy_missing')
  })

  test('a policy named like a member of every object', async () => {
    const made = harness()
    made.route = {
      ...made.route,
      action: { kind: 'forward', upstream: 'default/orders/80', policies: ['constructor'] },
    }
    expect(outcome(await made.ask(someFacts()))).toBe('unavailable policy_missing')
  })

  test('no policy at all', async () => {
    const made = new Harness([])
    expect(outcome(await made.ask(someFacts()))).toBe('unavailable policy_missing')
    made.route = { ...made.route, action: { kind: 'closed', reason: 'PluginNotFound', message: '' } }
    expect(outcome(await made.ask(someFacts()))).toBe('unavailable policy_missing')
  })
})
