import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { AuthDecision } from '../../src/auth/decision.ts'
import { createAuthorizer } from '../../src/auth/create-authorizer.ts'
import type { RequestFacts } from '../../src/auth/request-facts.ts'
import { CookieSessionStore } from '../../src/auth/session/cookie-session-store.ts'
import { SessionKeys } from '../../src/auth/session/session-keys.ts'
import type { Session } from '../../src/auth/session/session.ts'
import type { Policy } from '../../src/table/policy.ts'
import type { Route } from '../../src/table/routing-table.ts'
import { aSession, outcome } from '../support/authorizer-harness.ts'
import { FakeAuthorizationServerClient } from '../support/fake-authorization-server-client.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { aHost, aRoute } from '../support/snapshot.ts'
import { Browser } from './relying-party/browser.ts'
import { newKey, policyOf, snapshotOf, type PolicyChanges } from './relying-party/login-fixture.ts'

const APP = 'https://app.example.com/orders'
const HOUR = 3600

/** An authorizer with real sessions of cookies, one of which a browser has. */
class World {
  readonly clock = new ManualClock()
  readonly servers = new FakeAuthorizationServerClient()
  readonly #policy: Policy
  readonly #key = newKey()
  readonly #snapshot
  readonly #authorizer
  readonly #headers: RequestFacts['headers']
  #route!: Route

  constructor(session: Partial<Session> = {}, changes: PolicyChanges = {}, extra: Partial<Policy> = {}) {
    this.#policy = { ...policyOf(changes), ...extra }
    this.#snapshot = snapshotOf([this.#policy], [this.#key])
    const { clock } = this
    this.#authorizer = createAuthorizer({ clock, authorizationServers: this.servers, randomBytes })
    const store = new CookieSessionStore(clock, randomBytes, new SessionKeys())
    const browser = new Browser()
    const facts = browser.go(APP)
    const now = Math.floor(clock.now() / 1000)
    const times = {
      tokensIssuedAtSeconds: now,
      createdAtSeconds: now,
      renewedAtSeconds: now,
      lastSeenAtSeconds: now,
    }
    const kept = aSession({ ...times, accessTokenExpiresAtSeconds: now + HOUR, ...session })
    const saved = store.create({ snapshot: this.#snapshot, policy: this.#policy, facts }, kept)
    if (!saved.ok) throw new Error(saved.reason)
    browser.takeHeaders(saved.setCookies, facts)
    this.#headers = {
      cookie: browser.go(APP).headers['cookie'],
      accept: 'text/html',
      upgrade: 'websocket',
      origin: 'https://app.example.com',
    }
    this.publish()
  }

  /** As a snapshot does that has the same route once more. */
  publish(): void {
    const action = { kind: 'forward', upstream: 'default/orders/80', policies: [this.#policy.id] } as const
    this.#route = aRoute('orders', { action })
  }

  async ask(overrides: Partial<RequestFacts> = { established: true }): Promise<AuthDecision> {
    const facts = { ...new Browser().go(APP), headers: this.#headers, ...overrides }
    const host = aHost('app.example.com', [this.#route])
    return await this.#authorizer.authorize(this.#snapshot, host, this.#route, facts)
  }
}

describe('the session of an established connection', () => {
  test('goes on when its token expires that another request may have refreshed, and is not refreshed', async () => {
    const session = { idlingTimeoutSeconds: 0, rollingTimeoutSeconds: 0 }
    const world = new World({ refreshToken: 'refresh-1' }, { session })
    world.clock.advance((HOUR + 60) * 1000)
    const decision = await world.ask()
    expect(decision).toMatchObject({ kind: 'allow', identity: { method: 'session' }, responseHeaders: [] })
    expect(world.servers.refreshes).toEqual([])
    // The twin: a request refreshes, or is told that this cannot be done now.
    expect(outcome(await world.ask({}))).toBe('unavailable authorization_server_unavailable')
    expect(world.servers.refreshes).toHaveLength(1)
  })

  test('ends with a token that nothing can refresh', async () => {
    const world = new World()
    world.clock.advance((HOUR - 1) * 1000)
    expect(outcome(await world.ask())).toBe('allow')
    world.clock.advance(1000)
    expect(outcome(await world.ask())).toBe('401 no_credential')
  })

  test('ends with the absolute timeout, whatever can be refreshed', async () => {
    const world = new World({ refreshToken: 'refresh-1' }, { session: { absoluteTimeoutSeconds: 2 * HOUR } })
    world.clock.advance(2 * HOUR * 1000 - 1000)
    expect(outcome(await world.ask())).toBe('allow')
    world.clock.advance(1000)
    expect(outcome(await world.ask())).toBe('401 no_credential')
  })

  test('is not used: the timeouts that newer cookies may have put off do not end it, and no cookie is written', async () => {
    const world = new World({ accessTokenExpiresAtSeconds: 4_000_000_000 })
    world.clock.advance(2 * HOUR * 1000)
    expect(await world.ask()).toMatchObject({ kind: 'allow', responseHeaders: [] })
    expect(outcome(await world.ask({}))).toBe('401 no_credential')
  })

  test('keeps what its user info said while that cannot be asked, but only on a route that stayed', async () => {
    const requirements = { groups: { claim: ['groups'], anyOf: [['staff']] } }
    const world = new World({ refreshToken: 'refresh-1' }, {}, { requirements, userInfo: { cache: true } })
    world.servers.onUserInfo = () => ({ ok: true, value: { groups: ['staff'] } })
    expect(outcome(await world.ask())).toBe('allow')
    world.clock.advance((HOUR + 60) * 1000)
    world.servers.onUserInfo = () => ({ ok: false, kind: 'refused', error: 'invalid_token' })
    expect(outcome(await world.ask())).toBe('allow')
    world.publish()
    expect(outcome(await world.ask())).toBe('403 missing_group')
  })

  test('does not log out where the target would', async () => {
    const world = new World({}, { logout: { methods: ['GET'], queryArgument: 'logout' } })
    expect(outcome(await world.ask({ established: true, query: 'logout=1' }))).toBe('allow')
  })
})
