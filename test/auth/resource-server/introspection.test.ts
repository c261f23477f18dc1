import { beforeAll, describe, expect, test } from 'vitest'
import type {
  Answer,
  Introspection,
} from '../../../src/auth/authorization-server/authorization-server-client.ts'
import type { Policy } from '../../../src/table/policy.ts'
import { aPolicy, ISSUER, OWN_CLIENT } from '../../support/a-policy.ts'
import { Harness, outcome, someFacts, upstreamHeaders } from '../../support/authorizer-harness.ts'
import { DOWN } from '../../support/fake-authorization-server-client.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Signer } from '../../support/signed-tokens.ts'

const NOW = new ManualClock().now()
const NOW_SECONDS = NOW / 1000
let signer: Signer

beforeAll(async () => {
  signer = await Signer.create('k1')
})

function active(claims: Readonly<Record<string, unknown>> = {}): Answer<Introspection> {
  const usual = {
    sub: 'alice',
    scope: 'orders.read',
    exp: NOW_SECONDS + 600,
    iss: ISSUER,
    aud: 'api://default',
  }
  return { ok: true, value: { active: true, claims: { ...usual, ...claims } } }
}

const INACTIVE: Answer<Introspection> = { ok: true, value: { active: false, claims: {} } }

function policy(overrides: Partial<Policy> = {}): Policy {
  return aPolicy({ methods: ['introspection'], client: OWN_CLIENT, ...overrides })
}

function harness(overrides: Partial<Policy> = {}, answer = active()): Harness {
  const made = new Harness([policy(overrides)])
  made.servers.onIntrospect = () => answer
  return made
}

function introspecting(overrides: Partial<Policy['introspection']>): Partial<Policy> {
  return { introspection: { ...aPolicy().introspection, ...overrides } }
}

describe('an opaque token', () => {
  test('is asked about with the policy’s own client, and passes when active', async () => {
    const made = harness()
    const decision = await made.askBearer('opaque')
    expect(decision).toMatchObject({ identity: { method: 'introspection', subject: 'alice' } })
    expect(upstreamHeaders(decision)).toMatchObject({ authorization: 'Bearer opaque' })
    expect(made.servers.introspections).toEqual([
      {
        client: { id: 'ostiary', secret: 'ostiary-secret', authMethod: 'client_secret_post' },
        token: 'opaque',
        hint: 'access_token',
      },
    ])
  })

  test.each([
    ['inactive', INACTIVE, '401 inactive_token'],
    [
      'of a deactivated client',
      { ok: false, kind: 'refused', error: 'invalid_client' },
      '401 invalid_client',
    ],
    ['refused otherwise', { ok: false, kind: 'refused', error: 'access_denied' }, '401 server_refused'],
    ['that cannot be asked about', DOWN, 'unavailable authorization_server_unavailable'],
    ['expired', active({ exp: NOW_SECONDS }), '401 expired_token'],
    ['with an odd expiry', active({ exp: 'soon' }), '401 invalid_token'],
    ['not valid yet', active({ nbf: NOW_SECONDS + 5 }), '401 invalid_token'],
    ['of another issuer', active({ iss: 'https://evil.example' }), '401 wrong_issuer'],
    ['for another audience', active({ aud: ['api://other'] }), '401 wrong_audience'],
    ['bound to a key', active({ cnf: { jkt: 'x' } }), '401 invalid_token'],
    ['of type DPoP', active({ token_type: 'DPoP' }), '401 invalid_token'],
    ['that is a refresh token', active({ token_type: 'refresh_token' }), '401 invalid_token'],
    ['that is an ID token', active({ nonce: 'n' }), '401 invalid_token'],
    ['about which little is said', { ok: true, value: { active: true, claims: {} } }, 'allow'],
  ] as const)('%s', async (_name, answer, expected) => {
    expect(outcome(await harness({}, answer).askBearer('opaque'))).toBe(expected)
  })

  test('the server’s error code is for logs, its description is for nobody', async () => {
    const description = 'client opaque-secret is unknown'
    const answer = { ok: false, kind: 'refused', error: 'access_denied', description } as const
    const decision = await harness({}, answer).askBearer('opaque')
    expect(decision).toMatchObject({ detail: 'access_denied' })
    expect(JSON.stringify(decision)).not.toContain('unknown')
  })

  test.each(['a b', 'a\r\nb', 'é', '', 'a'.repeat(16 * 1024 + 1)])(
    'like %j is sent nowhere',
    async (token) => {
      const made = harness()
      expect(outcome(await made.askBearer(token))).toMatch(/^401/)
      expect(made.servers.introspections).toEqual([])
    },
  )

  test('insecureSkipActiveCheck takes an inactive one', async () => {
    const made = harness(introspecting({ insecureSkipActiveCheck: true }), INACTIVE)
    expect(outcome(await made.askBearer('opaque'))).toBe('allow')
  })

  test('without a secret to ask with, nothing passes', async () => {
    const client = { ...OWN_CLIENT, secret: 'default/gone/client-secret' }
    const made = harness({ client })
    expect(outcome(await made.askBearer('opaque'))).toBe('unavailable authorization_server_unavailable')
    expect(made.servers.introspections).toEqual([])
  })
})

describe('the cache', () => {
  test('answers at once until the token expires, never longer', async () => {
    const made = harness()
    const first = await made.askBearer('opaque')
    made.clock.advance(599_999)
    expect(made.ask(someFacts({ authorization: 'Bearer opaque' }))).toBe(first)
    made.clock.advance(1)
    expect(outcome(await made.askBearer('opaque'))).toBe('401 expired_token')
    expect(made.servers.introspections).toHaveLength(2)
  })

  test.each([
    ['without expiry', { exp: undefined }],
    ['that expires later', {}],
  ])('keeps an answer %s for ttlSeconds: a revoked token passes no longer', async (_name, claims) => {
    const cache = { ttlSeconds: 60, negativeTtlSeconds: 5 }
    const made = harness({ cache }, active(claims))
    await made.askBearer('opaque')
    made.clock.advance(59_999)
    await made.askBearer('opaque')
    expect(made.servers.introspections).toHaveLength(1)
    made.clock.advance(1)
    await made.askBearer('opaque')
    expect(made.servers.introspections).toHaveLength(2)
  })

  test('keeps nothing longer than its maximum', async () => {
    const cache = { ttlSeconds: 60, negativeTtlSeconds: 5, maximumTtlSeconds: 30 }
    const made = harness({ cache })
    await made.askBearer('opaque')
    made.clock.advance(30_000)
    await made.askBearer('opaque')
    expect(made.servers.introspections).toHaveLength(2)
  })

  test('remembers a refusal for negativeTtlSeconds, and an outage not at all', async () => {
    const made = harness({}, INACTIVE)
    await made.askBearer('opaque')
    made.clock.advance(4999)
    expect(outcome(await made.askBearer('opaque'))).toBe('401 inactive_token')
    expect(made.servers.introspections).toHaveLength(1)
    made.clock.advance(1)
    made.servers.onIntrospect = () => DOWN
    expect(outcome(await made.askBearer('opaque'))).toBe('unavailable authorization_server_unavailable')
    made.servers.onIntrospect = () => active()
    expect(outcome(await made.askBearer('opaque'))).toBe('allow')
  })

  test('is off when told: a revoked token is refused at once', async () => {
    const made = harness(introspecting({ cache: false }))
    expect(outcome(await made.askBearer('opaque'))).toBe('allow')
    made.servers.onIntrospect = () => INACTIVE
    expect(outcome(await made.askBearer('opaque'))).toBe('401 inactive_token')
    made.servers.onIntrospect = () => active()
    expect(outcome(await made.askBearer('opaque'))).toBe('allow')
  })

  test.each([true, false])('lets requests at once share one call (cache %s)', async (cache) => {
    const made = harness(introspecting({ cache }))
    const decisions = await Promise.all(Array.from({ length: 20 }, () => made.askBearer('opaque')))
    expect(decisions.map(outcome)).toEqual(Array(20).fill('allow'))
    expect(made.servers.introspections).toHaveLength(1)
  })

  test('keeps tokens, policies and revisions apart', async () => {
    const made = harness()
    await made.askBearer('opaque')
    await made.askBearer('Opaque')
    made.publish({ policies: { 'default/oidc': policy({ revision: 'uid-2' }) } })
    await made.askBearer('opaque')
    expect(made.servers.introspections.map(({ token }) => token)).toEqual(['opaque', 'Opaque', 'opaque'])
  })
})

describe('JWTs', () => {
  test('are refused where only opaque tokens are introspected', async () => {
    const made = harness()
    expect(outcome(await made.askBearer(await signer.token(NOW)))).toBe('401 invalid_token')
    expect(made.servers.introspections).toEqual([])
  })

  test.each([[['introspection']], [['bearer', 'introspection']]] as const)(
    'with introspectJwtTokens are never taken on their signature (methods %s)',
    async (methods) => {
      const made = harness({ methods, ...introspecting({ introspectJwtTokens: true }) }, INACTIVE)
      made.serveKeys(signer)
      expect(outcome(await made.askBearer(await signer.token(NOW)))).toBe('401 inactive_token')
    },
  )

  test('with introspectJwtTokens but without the method are refused', async () => {
    const made = harness({ methods: ['bearer'], ...introspecting({ introspectJwtTokens: true }) })
    made.serveKeys(signer)
    expect(outcome(await made.askBearer(await signer.token(NOW)))).toBe('401 invalid_token')
  })

  test('are judged by the answer’s claims, not by what they say themselves', async () => {
    const requirements = { groups: { claim: ['groups'], anyOf: [['Engineering']] } }
    const made = harness({ requirements, ...introspecting({ introspectJwtTokens: true }) })
    expect(outcome(await made.askBearer(await signer.token(NOW)))).toBe('403 missing_group')
  })

  test('that are ID tokens are not even asked about', async () => {
    const made = harness(introspecting({ introspectJwtTokens: true }))
    expect(outcome(await made.askBearer(await signer.token(NOW, { nonce: 'n' })))).toBe('401 invalid_token')
    expect(made.servers.introspections).toEqual([])
  })

  test('and opaque tokens each go their way where both methods are on', async () => {
    const made = harness({ methods: ['bearer', 'introspection'] })
    made.serveKeys(signer)
    expect(await made.askBearer(await signer.token(NOW))).toMatchObject({ identity: { method: 'bearer' } })
    expect(await made.askBearer('opaque')).toMatchObject({ identity: { method: 'introspection' } })
    expect(made.servers.introspections.map(({ token }) => token)).toEqual(['opaque'])
  })
})
