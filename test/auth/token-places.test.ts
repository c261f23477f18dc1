import { beforeAll, describe, expect, test } from 'vitest'
import type { RequestFacts } from '../../src/auth/request-facts.ts'
import type { BearerPolicy, Policy } from '../../src/table/policy.ts'
import { aPolicy } from '../support/a-policy.ts'
import { Harness, outcome, someFacts } from '../support/authorizer-harness.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { Signer } from '../support/signed-tokens.ts'

const NOW = new ManualClock().now()
const EVERYWHERE: BearerPolicy = { places: ['header', 'query', 'body', 'cookie'], cookieName: 'token' }
let signer: Signer
let token: string
let other: string

beforeAll(async () => {
  signer = await Signer.create('k1')
  token = await signer.token(NOW)
  other = await signer.token(NOW, { jti: 'other' })
})

function harness(bearer: BearerPolicy = EVERYWHERE, overrides: Partial<Policy> = {}): Harness {
  const made = new Harness([aPolicy({ bearer, ...overrides })])
  made.serveKeys(signer)
  return made
}

function formFacts(body: string): RequestFacts {
  return someFacts(
    { 'content-type': 'application/x-www-form-urlencoded' },
    { method: 'POST', form: async () => new URLSearchParams(body) },
  )
}

describe('each place is looked at where allowed, and only there', () => {
  const places: readonly (readonly [string, BearerPolicy['places'][number], () => RequestFacts])[] = [
    ['Authorization', 'header', () => someFacts({ authorization: `Bearer ${token}` })],
    ['Access-Token', 'header', () => someFacts({ 'access-token': token })],
    ['X-Access-Token', 'header', () => someFacts({ 'x-access-token': token })],
    ['the query', 'query', () => someFacts({}, { query: `a=1&access_token=${token}` })],
    ['the form', 'body', () => formFacts(`a=1&access_token=${token}`)],
    ['the cookie', 'cookie', () => someFacts({ cookie: `a=1; token=${token}; b=2` })],
  ]

  test.each(places)('%s', async (_name, place, facts) => {
    const without = EVERYWHERE.places.filter((each) => each !== place)
    expect(outcome(await harness().ask(facts()))).toBe('allow')
    expect(outcome(await harness({ ...EVERYWHERE, places: [place] }).ask(facts()))).toBe('allow')
    expect(outcome(await harness({ ...EVERYWHERE, places: without }).ask(facts()))).toBe('401 no_credential')
  })
})

describe('more than one token', () => {
  test.each([
    [
      'header and query',
      () => someFacts({ authorization: `Bearer ${token}` }, { query: `access_token=${other}` }),
    ],
    ['two headers', () => someFacts({ authorization: `Bearer ${token}`, 'x-access-token': other })],
    ['twice in the query', () => someFacts({}, { query: `access_token=${token}&access_token=${other}` })],
    ['two cookies of the name', () => someFacts({ cookie: `token=${token}; token=${other}` })],
    ['a repeated header', () => someFacts({ authorization: [`Bearer ${token}`, `Bearer ${token}`] })],
  ])('%s is 400', async (_name, facts) => {
    const decision = await harness().ask(facts())
    expect(decision).toMatchObject({ kind: 'refuse', status: 400, reason: 'invalid_request' })
    expect(JSON.stringify(decision)).toContain('error=\\"invalid_request\\"')
    expect(JSON.stringify(decision)).not.toContain(token.slice(0, 20))
  })

  test('two headers are 400 also where headers alone are looked at', async () => {
    const facts = someFacts({ authorization: `Bearer ${token}`, 'access-token': other })
    expect(outcome(await harness({ places: ['header'] }).ask(facts))).toBe('400 invalid_request')
  })

  test('the same in two places is one, and hidden in both', async () => {
    const facts = someFacts(
      { authorization: `Bearer ${token}`, cookie: `token=${token}` },
      {
        query: `access_token=${token}`,
      },
    )
    const decision = await harness().ask(facts)
    expect(decision).toMatchObject({ kind: 'allow', removeQuery: ['access_token'] })
    expect(decision.kind === 'allow' && decision.removeCookies('token')).toBe(true)
  })

  test('two Authorization values joined to one are no token', async () => {
    const facts = someFacts({ authorization: `Bearer ${token}, Bearer ${token}` })
    expect(outcome(await harness().ask(facts))).toBe('401 invalid_token')
  })
})

describe('hiding', () => {
  const noTokenUpstream = { accessTokenHeader: undefined as never }

  test.each([
    [
      'Authorization',
      () => someFacts({ authorization: `Bearer ${token}` }),
      { removeHeaders: ['authorization'] },
    ],
    ['Access-Token', () => someFacts({ 'access-token': token }), { removeHeaders: ['access-token'] }],
    ['the query', () => someFacts({}, { query: `access_token=${token}` }), { removeQuery: ['access_token'] }],
    ['the form', () => formFacts(`access_token=${token}`), { removeForm: ['access_token'] }],
  ])('takes %s out and nothing else', async (_name, facts, removed) => {
    const nothing = { removeHeaders: [], removeQuery: [], removeForm: [], setHeaders: EXPECTED_IDENTITY }
    expect(await harness(EVERYWHERE, noTokenUpstream).ask(facts())).toMatchObject({ ...nothing, ...removed })
    const shown = harness(EVERYWHERE, { ...noTokenUpstream, hideCredentials: false })
    expect(await shown.ask(facts())).toMatchObject(nothing)
  })

  test('takes the cookie out, beside our own, and no other', async () => {
    const facts = someFacts({ cookie: `token=${token}` })
    const decision = await harness(EVERYWHERE, noTokenUpstream).ask(facts)
    const removes = decision.kind === 'allow' ? decision.removeCookies : () => false
    expect(['token', '__Host-ostiary_01234567_os_0', 'tokens', 'session'].map(removes)).toEqual([
      true,
      true,
      false,
      false,
    ])
    const shown = await harness(EVERYWHERE, { ...noTokenUpstream, hideCredentials: false }).ask(facts)
    expect(shown.kind === 'allow' && shown.removeCookies('token')).toBe(false)
    expect(shown.kind === 'allow' && shown.removeCookies('__Host-ostiary_01234567_os_0')).toBe(true)
  })
})

const EXPECTED_IDENTITY = [['x-credential-identifier', 'alice@example.com']]

test.each([
  ['another scheme', 'Negotiate abc'],
  ['Basic where it is not taken', 'Basic YTpi'],
  ['a scheme that begins alike', 'Bearers abc'],
])('%s is no credential', async (_name, authorization) => {
  expect(outcome(await harness().ask(someFacts({ authorization })))).toBe('401 no_credential')
})
