import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type {
  Answer,
  ServerMetadata,
} from '../../../src/auth/authorization-server/authorization-server-client.ts'
import type { AuthDecision } from '../../../src/auth/decision.ts'
import { logOut } from '../../../src/auth/logout/log-out.ts'
import type { RequestFacts } from '../../../src/auth/request-facts.ts'
import { SessionKeys } from '../../../src/auth/session/session-keys.ts'
import type { Policy } from '../../../src/table/policy.ts'
import { EMPTY_TABLE } from '../../../src/table/routing-table.ts'
import { aPolicy, ISSUER, OWN_CLIENT } from '../../support/a-policy.ts'
import { aSession, NAVIGATION, someFacts } from '../../support/authorizer-harness.ts'
import { DOWN, FakeAuthorizationServerClient } from '../../support/fake-authorization-server-client.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { FakeSessionStore } from './fake-session-store.ts'

const END_SESSION = `${ISSUER}/v1/logout?tenant=1`
const REDIRECT = 'https://app.example.com/bye?a=1'
const SECRETS: Readonly<Record<string, string>> = { 'default/ostiary/client-secret': 's' }

function policyWith(logout: Partial<Policy['logout']> = {}, changes: Partial<Policy> = {}): Policy {
  const policy = aPolicy({
    client: OWN_CLIENT,
    methods: ['session', 'authorization_code'],
    ...changes,
  })
  return { ...policy, logout: { ...policy.logout, ...logout } }
}

class Servers extends FakeAuthorizationServerClient {
  endSessionEndpoint: string | undefined = END_SESSION
  isDown = false

  override async metadata(): Promise<Answer<ServerMetadata>> {
    if (this.isDown) return DOWN
    const { endSessionEndpoint } = this
    return {
      ok: true,
      value: {
        issuer: ISSUER,
        codeChallengeMethods: [],
        issParameterSupported: false,
        ...(endSessionEndpoint !== undefined && { endSessionEndpoint }),
      },
    }
  }
}

class World {
  readonly servers = new Servers()
  readonly sessions = new FakeSessionStore()

  signIn(policy: Policy, session: Parameters<typeof aSession>[0] = {}): void {
    this.sessions.sessions.set(policy.session.realm, aSession({ idToken: 'id-token', ...session }))
  }

  async leave(policies: readonly Policy[], facts: Partial<RequestFacts> = {}): Promise<AuthDecision> {
    const headers = { ...NAVIGATION, 'sec-fetch-site': 'same-origin' }
    const snapshot = { table: EMPTY_TABLE, secret: (id: string) => SECRETS[id], sessionKeys: [] }
    const deps = {
      clock: new ManualClock(),
      authorizationServers: this.servers,
      randomBytes,
      keys: new SessionKeys(),
      sessions: this.sessions,
      openSession: () => ({ kind: 'none' }) as const,
    }
    return logOut(deps, { snapshot, policies, facts: someFacts(headers, { method: 'POST', ...facts }) })
  }
}

function locationOf(decision: AuthDecision): URL {
  if (decision.kind !== 'redirect') throw new Error(`no redirect: ${JSON.stringify(decision)}`)
  return new URL(decision.location)
}

describe('where a logout ends', () => {
  test('at the end_session_endpoint, whose own query stays', async () => {
    const world = new World()
    const policy = policyWith({ redirectUri: REDIRECT })
    world.signIn(policy)
    const location = locationOf(await world.leave([policy]))
    expect(location.href.startsWith(END_SESSION)).toBe(true)
    expect(Object.fromEntries(location.searchParams)).toEqual({
      tenant: '1',
      client_id: 'ostiary',
      id_token_hint: 'id-token',
      post_logout_redirect_uri: REDIRECT,
      state: expect.stringMatching(/^[\w-]{22}$/),
    })
  })

  test('at logoutRedirectUri where there is no such endpoint', async () => {
    const world = new World()
    world.servers.endSessionEndpoint = undefined
    const policy = policyWith({ redirectUri: REDIRECT })
    world.signIn(policy)
    expect(locationOf(await world.leave([policy])).href).toBe(REDIRECT)
  })

  test('at a page where there is neither, with a way back in', async () => {
    const world = new World()
    world.servers.endSessionEndpoint = undefined
    expect(await world.leave([policyWith()])).toMatchObject({
      kind: 'respond',
      body: { kind: 'page', page: { name: 'signed_out', signIn: '/oauth2/start?plugin=default%2Foidc' } },
    })
    const withoutLogin = policyWith({}, { methods: ['session'] })
    expect(await world.leave([withoutLogin])).toMatchObject({
      body: { page: { name: 'signed_out' } },
    })
    expect(JSON.stringify(await world.leave([withoutLogin]))).not.toContain('signIn')
  })

  test("at the plugin's own endpoint while the authorization server is down", async () => {
    const world = new World()
    world.servers.isDown = true
    const policy = policyWith()
    const server = { ...policy.server, endSessionEndpoint: 'https://login.example.com/end' }
    expect(locationOf(await world.leave([{ ...policy, server }])).origin).toBe('https://login.example.com')
  })

  test('where the policy that had a session says', async () => {
    const world = new World()
    const first = policyWith({ redirectUri: 'https://one.example/' }, { id: 'default/one' })
    const second = policyWith({ redirectUri: 'https://two.example/' }, { id: 'default/two' })
    const policies = [first, { ...second, session: { ...second.session, realm: 'r2' } }] as const
    world.signIn(policies[1])
    const location = locationOf(await world.leave(policies))
    expect(location.searchParams.get('post_logout_redirect_uri')).toBe('https://two.example/')
    expect(world.sessions.ended).toEqual([first.session.realm, 'r2'])
  })
})

describe('the session here', () => {
  test('ends whatever the authorization server does, and its cookie is cleared', async () => {
    const world = new World()
    world.servers.isDown = true
    const policy = policyWith({ revokeAccessToken: true, revokeRefreshToken: true })
    world.signIn(policy, { refreshToken: 'refresh' })
    const decision = await world.leave([policy])
    expect(world.sessions.ended).toEqual([policy.session.realm])
    expect(decision.responseHeaders.map(([name]) => name)).toContain('set-cookie')
    expect(world.servers.revocations.map(({ token, hint }) => [token, hint])).toEqual([
      ['refresh', 'refresh_token'],
      ['opaque-access-token', 'access_token'],
    ])
  })

  test('has its cookie cleared also where the store does not answer, but nothing says that it is done', async () => {
    const world = new World()
    world.sessions.down = true
    const decision = await world.leave([policyWith()])
    expect(decision.kind).toBe('unavailable')
    expect(decision.responseHeaders.map(([name]) => name)).toContain('set-cookie')
  })

  test('is not ended by a request that another site may have made', async () => {
    const policy = policyWith()
    const forgeries: Partial<RequestFacts>[] = [
      { headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } },
      { headers: { origin: 'null' } },
      { headers: {} },
      { method: 'DELETE', headers: {} },
      {
        method: 'GET',
        headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      },
      {
        method: 'GET',
        headers: { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      },
    ]
    for (const facts of forgeries) {
      const world = new World()
      world.signIn(policy)
      expect(await world.leave([policy], facts)).toMatchObject({ kind: 'refuse', status: 403 })
      expect(world.sessions.ended).toEqual([])
      expect(world.servers.revocations).toEqual([])
    }
  })

  test('that there is none of needs no proof', async () => {
    const world = new World()
    expect((await world.leave([policyWith()], { headers: {} })).kind).toBe('redirect')
  })
})

test('no answer holds a token but the hint, and says that it is not to be kept or passed on', async () => {
  const world = new World()
  const policy = policyWith({ redirectUri: REDIRECT, revokeAccessToken: true })
  world.signIn(policy, { refreshToken: 'refresh' })
  const decision = await world.leave([policy])
  expect(decision.responseHeaders).toContainEqual(['cache-control', 'no-store'])
  expect(decision.responseHeaders).toContainEqual(['referrer-policy', 'no-referrer'])
  expect(JSON.stringify(decision)).not.toMatch(/opaque-access-token|refresh"/)
})

test.each([
  ['Origin', { origin: 'https://evil.example' }],
  ['Sec-Fetch-Site', { ...NAVIGATION, 'sec-fetch-site': 'cross-site' }],
])(
  'no cookie is cleared for a form of another site, as %s says, whose request brings none',
  async (_name, headers) => {
    const world = new World()
    expect(await world.leave([policyWith()], { headers })).toMatchObject({
      status: 403,
      reason: 'cross_origin',
    })
    expect(world.sessions.ended).toEqual([])
    expect(await world.leave([policyWith()], { headers: {} })).toMatchObject({ reason: 'logout' })
  },
)
