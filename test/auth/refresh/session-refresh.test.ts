import { describe, expect, test } from 'vitest'
import type { Answer, TokenSet } from '../../../src/auth/authorization-server/authorization-server-client.ts'
import { SessionRefresh } from '../../../src/auth/refresh/session-refresh.ts'
import type { SaveResult, SessionLock, SessionStore } from '../../../src/auth/session/session-store.ts'
import type { Session, SessionLookup } from '../../../src/auth/session/session.ts'
import type { SessionPolicy } from '../../../src/table/policy.ts'
import { aPolicy, OWN_CLIENT } from '../../support/a-policy.ts'
import { aSession, someFacts } from '../../support/authorizer-harness.ts'
import { DOWN, FakeAuthorizationServerClient } from '../../support/fake-authorization-server-client.ts'
import { ManualTimers } from '../../support/manual-timers.ts'

const T0 = 1_000_000
const CLEARED = [['set-cookie', 'gone=; Max-Age=0']] as const
const UPDATED = [['set-cookie', 'session=new']] as const

/** A store of one session, whose every answer a test can change. */
class FakeStore implements SessionStore {
  session: Session | undefined
  readonly held: SessionLock = {
    kind: 'held',
    release: () => {
      this.releases += 1
    },
  }
  locks: SessionLock[] = []
  updates: (SaveResult | Error)[] = []
  releases = 0
  destroyed = 0
  lockedForMs = 0

  constructor(session: Session) {
    this.session = session
  }

  open(): SessionLookup {
    if (this.session === undefined) return { kind: 'invalid', clearCookies: CLEARED }
    return { kind: 'session', session: this.session, setCookies: [] }
  }

  reread(): SessionLookup {
    return this.open()
  }

  create(): never {
    throw new Error('a refresh begins no session')
  }

  update(_request: unknown, session: Session): SaveResult {
    const result = this.updates.shift() ?? { ok: true, setCookies: UPDATED }
    if (result instanceof Error) throw result
    if (result.ok) this.session = session
    return result
  }

  lock(_request: unknown, _session: unknown, ttlMs: number): SessionLock {
    this.lockedForMs = ttlMs
    return this.locks.shift() ?? this.held
  }

  destroy(): { ok: true; clearCookies: typeof CLEARED } {
    this.destroyed += 1
    this.session = undefined
    return { ok: true, clearCookies: CLEARED }
  }

  destroyBy(): never {
    throw new Error('a refresh ends nobody else')
  }

  claim(): never {
    throw new Error('a refresh claims nothing')
  }

  close(): void {}
}

function tokens(more: Partial<TokenSet> = {}): Answer<TokenSet> {
  const value = { accessToken: 'access-2', tokenType: 'Bearer', expiresInSeconds: 3600, ...more }
  return { ok: true, value: { ...value, refreshToken: 'refresh-2' } }
}

class World {
  readonly timers = new ManualTimers(T0 * 1000)
  readonly servers = new FakeAuthorizationServerClient()
  readonly store: FakeStore
  readonly outcomes: string[] = []
  readonly refresh: SessionRefresh
  readonly #session: Partial<SessionPolicy>

  constructor(session: Partial<Session> = {}, policy: Partial<SessionPolicy> = {}) {
    const times = {
      createdAtSeconds: T0,
      renewedAtSeconds: T0,
      lastSeenAtSeconds: T0,
      tokensIssuedAtSeconds: T0,
    }
    const expiry = { accessTokenExpiresAtSeconds: T0 + 3600, refreshToken: 'refresh-1' }
    this.store = new FakeStore(aSession({ ...times, ...expiry, ...session }))
    this.#session = policy
    this.servers.onRefresh = () => tokens()
    const deps = {
      clock: this.timers,
      authorizationServers: this.servers,
      randomBytes: (size: number) => Buffer.alloc(size),
      sessionObserver: {
        operated: () => undefined,
        refreshed: (outcome: string) => void this.outcomes.push(outcome),
        started: () => undefined,
        sealed: () => undefined,
      },
    }
    this.refresh = new SessionRefresh(deps, this.store, this.timers)
  }

  open(): SessionLookup | Promise<SessionLookup> {
    const session = { ...aPolicy().session, ...this.#session }
    const policy = aPolicy({ client: OWN_CLIENT, session })
    const snapshot = { table: {} as never, secret: () => 'client-secret', sessionKeys: [] }
    return this.refresh.open({ snapshot, policy, facts: someFacts({ cookie: 'session=1' }) })
  }

  /** Lets what waits for a timer go on, until the outcome is there. */
  async outcome(): Promise<SessionLookup> {
    const outcome = Promise.resolve(this.open())
    const state = { settled: false }
    const settle = (): void => void (state.settled = true)
    outcome.then(settle, settle)
    while (!state.settled) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.timers.pending > 0) this.timers.advance(this.timers.nextInMs ?? 0)
    }
    return outcome
  }
}

describe('a session whose time has not come', () => {
  test('is given at once', () => {
    const world = new World()
    world.timers.advance(3_569_000)
    expect(world.open()).toEqual({ kind: 'session', session: world.store.session, setCookies: [] })
    expect(world.servers.refreshes).toEqual([])
  })

  test('is not refreshed without a refresh token, nor where that is off', () => {
    const { refreshToken: _, ...without } = new World().store.session!
    for (const [session, policy] of [
      [without, {}],
      [{}, { refreshTokens: false }],
    ] as const) {
      const world = new World(session, policy)
      if (session === without) world.store.session = { ...without }
      world.timers.advance(3_599_000)
      expect(world.open()).not.toBeInstanceOf(Promise)
      expect(world.servers.refreshes).toEqual([])
    }
  })

  test('that lives for a minute is refreshed in the second half of it, whatever the leeway', async () => {
    const world = new World({ accessTokenExpiresAtSeconds: T0 + 60 }, { refreshLeewaySeconds: 3600 })
    world.timers.advance(29_000)
    expect(world.open()).not.toBeInstanceOf(Promise)
    world.timers.advance(1_000)
    expect(await world.outcome()).toMatchObject({ session: { accessToken: 'access-2' } })
  })
})

describe('a refresh', () => {
  test('asks with what the session holds, and keeps what the answer leaves out', async () => {
    const world = new World({
      idToken: 'id-1',
      idTokenClaims: { sub: 'alice', nonce: 'the-nonce', groups: ['a'] },
      scope: 'openid',
    })
    world.timers.advance(3_600_000)
    expect(await world.outcome()).toMatchObject({ kind: 'session', setCookies: UPDATED })
    expect(world.servers.refreshes).toMatchObject([
      { refreshToken: 'refresh-1', subject: 'alice', nonce: 'the-nonce', session: { id: 'session-1' } },
    ])
    expect(world.store.session).toMatchObject({
      id: 'session-1',
      accessToken: 'access-2',
      refreshToken: 'refresh-2',
      idToken: 'id-1',
      idTokenClaims: { sub: 'alice', groups: ['a'] },
      scope: 'openid',
      accessTokenExpiresAtSeconds: T0 + 7200,
      tokensIssuedAtSeconds: T0 + 3600,
      createdAtSeconds: T0,
      renewedAtSeconds: T0,
    })
    expect(world.outcomes).toEqual(['refreshed'])
    expect(world.store.releases).toBe(1)
  })

  test('is one for all that come with the same session, also a moment later', async () => {
    const world = new World()
    const before = world.store.session!
    world.timers.advance(3_600_000)
    const first = await Promise.all(Array.from({ length: 20 }, async () => world.open()))
    expect(new Set(first.map((each) => each.kind === 'session' && each.session.accessToken))).toEqual(
      new Set(['access-2']),
    )
    world.store.session = before
    world.timers.advance(19_000)
    expect(await world.outcome()).toMatchObject({ session: { accessToken: 'access-2' } })
    expect(world.servers.refreshes).toHaveLength(1)
  })

  test('is given no longer than its token lives', async () => {
    const world = new World()
    const before = world.store.session!
    world.servers.onRefresh = () => tokens({ expiresInSeconds: 10 })
    world.timers.advance(3_600_000)
    await world.outcome()
    world.store.session = before
    world.timers.advance(10_000)
    await world.outcome()
    expect(world.servers.refreshes).toHaveLength(2)
  })

  test('that another replica finished just before the lock was free is not repeated', async () => {
    const world = new World()
    world.timers.advance(3_600_000)
    const stale = world.store.open()
    const refreshed = {
      ...world.store.session!,
      accessToken: 'theirs',
      accessTokenExpiresAtSeconds: T0 + 9000,
    }
    world.store.session = refreshed
    world.store.reread = () => ({ kind: 'session', session: refreshed, setCookies: [] })
    world.store.open = () => stale
    expect(await world.outcome()).toMatchObject({ session: { accessToken: 'theirs' } })
    expect(world.servers.refreshes).toEqual([])
    expect(world.store.releases).toBe(1)
  })

  test('whose answer is given out again later does not make its token live longer', async () => {
    const world = new World()
    world.timers.advance(3_600_000)
    world.servers.onRefresh = () => tokens({ receivedAtSeconds: T0 + 3590 })
    await world.outcome()
    expect(world.store.session).toMatchObject({
      accessTokenExpiresAtSeconds: T0 + 3590 + 3600,
      tokensIssuedAtSeconds: T0 + 3590,
    })
  })

  test('of a session that was ended meanwhile ends it', async () => {
    const world = new World()
    world.store.updates = [{ ok: false, reason: 'gone' }]
    world.timers.advance(3_600_000)
    expect(await world.outcome()).toEqual({ kind: 'invalid', clearCookies: CLEARED })
  })

  test('that cannot be kept is 503, and the next request keeps it', async () => {
    const world = new World()
    world.store.updates = [{ ok: false, reason: 'unavailable' }]
    world.timers.advance(3_600_000)
    expect(await world.outcome()).toMatchObject({ kind: 'unavailable', cause: 'session_store' })
    expect(await world.outcome()).toMatchObject({ session: { accessToken: 'access-2' } })
  })

  test('whose tokens do not fit any more ends the session', async () => {
    const world = new World()
    world.store.updates = [{ ok: false, reason: 'too_large' }]
    world.timers.advance(3_600_000)
    expect(await world.outcome()).toEqual({ kind: 'invalid', clearCookies: CLEARED })
  })

  test('that fails by a mistake of ours costs that request alone, and releases its lock', async () => {
    const world = new World()
    world.store.updates = [new Error('a mistake')]
    world.timers.advance(3_600_000)
    await expect(world.outcome()).rejects.toThrow('a mistake')
    expect(world.store.releases).toBe(1)
    expect(await world.outcome()).toMatchObject({ session: { accessToken: 'access-2' } })
  })
})

describe('a refusal', () => {
  test.each(['invalid_grant', 'invalid_id_token'])('%s ends the session at once', async (error) => {
    const world = new World()
    world.servers.onRefresh = () => ({ ok: false, kind: 'refused', error })
    world.timers.advance(3_599_000)
    expect(await world.outcome()).toEqual({ kind: 'invalid', clearCookies: CLEARED })
    expect(world.store.destroyed).toBe(1)
    expect(world.outcomes).toEqual(['ended'])
  })

  test('of a token that another replica spent meanwhile, as the lock ran out, ends nothing', async () => {
    const world = new World()
    world.timers.advance(3_599_000)
    const elsewhere = { refreshToken: 'refresh-9', accessTokenExpiresAtSeconds: T0 + 7200 }
    world.servers.onRefresh = () => {
      world.store.session = { ...world.store.session!, ...elsewhere }
      return { ok: false, kind: 'refused', error: 'invalid_grant' }
    }
    expect(await world.outcome()).toMatchObject({ kind: 'session', session: elsewhere })
    expect(world.store.destroyed).toBe(0)
  })

  test.each([
    ['invalid_client', 'unavailable'],
    ['unauthorized_client', 'invalid'],
    ['unsupported_grant_type', 'invalid'],
  ])('%s leaves the session while its token is good, and then makes it %s', async (error, after) => {
    const world = new World()
    world.servers.onRefresh = () => ({ ok: false, kind: 'refused', error })
    world.timers.advance(3_599_000)
    expect((await world.outcome()).kind).toBe('session')
    world.timers.advance(1_000)
    expect((await world.outcome()).kind).toBe(after)
  })

  test('of a server that is down is not asked for by each request', async () => {
    const world = new World()
    world.servers.onRefresh = () => DOWN
    world.timers.advance(3_580_000)
    for (let round = 0; round < 10; round += 1) expect((await world.outcome()).kind).toBe('session')
    expect(world.servers.refreshes).toHaveLength(1)
    world.timers.advance(5_000)
    await world.outcome()
    expect(world.servers.refreshes).toHaveLength(2)
  })
})

describe('while another replica refreshes', () => {
  const BUSY: SessionLock = { kind: 'busy' }

  test('a session whose token is still good goes on at once', async () => {
    const world = new World()
    const before = world.store.session
    world.store.locks = [BUSY]
    world.timers.advance(3_599_000)
    expect(await world.open()).toEqual({ kind: 'session', session: before, setCookies: [] })
    expect(world.timers.pending).toBe(0)
    expect(world.servers.refreshes).toEqual([])
  })

  test('one whose token has expired waits for its result', async () => {
    const world = new World()
    world.timers.advance(3_600_000)
    const refreshed = {
      ...world.store.session!,
      accessToken: 'theirs',
      accessTokenExpiresAtSeconds: T0 + 9000,
    }
    world.store.locks = [BUSY, BUSY, BUSY]
    world.store.reread = () => {
      if (world.store.locks.length === 0) world.store.session = refreshed
      return world.store.open()
    }
    expect(await world.outcome()).toMatchObject({ session: { accessToken: 'theirs' } })
    expect(world.servers.refreshes).toEqual([])
  })

  test('one that was ended meanwhile is not waited for', async () => {
    const world = new World()
    world.timers.advance(3_600_000)
    world.store.locks = [BUSY, BUSY]
    world.store.reread = () => ({ kind: 'invalid', clearCookies: CLEARED })
    expect(await world.outcome()).toEqual({ kind: 'invalid', clearCookies: CLEARED })
  })

  test('is kept out for longer than finding the endpoint, asking it and fetching keys can take', async () => {
    const world = new World({ accessTokenExpiresAtSeconds: T0 })
    await world.outcome()
    expect(world.store.lockedForMs).toBeGreaterThan(3 * aPolicy().server.timeoutMs)
  })

  test('one that gives up is taken over', async () => {
    const world = new World()
    world.timers.advance(3_600_000)
    world.store.locks = [BUSY, BUSY]
    expect(await world.outcome()).toMatchObject({ session: { accessToken: 'access-2' } })
  })

  test('nobody waits for ever', async () => {
    const world = new World()
    world.timers.advance(3_600_000)
    world.store.lock = () => BUSY
    const before = world.timers.monotonic()
    expect(await world.outcome()).toMatchObject({ kind: 'unavailable', cause: 'authorization_server' })
    expect(world.timers.monotonic() - before).toBeLessThanOrEqual(6_050)
  })

  test('a store that is away is 503 once the token has expired', async () => {
    const world = new World()
    world.timers.advance(3_599_000)
    world.store.locks = [{ kind: 'unavailable' }, { kind: 'unavailable' }]
    expect((await world.outcome()).kind).toBe('session')
    world.timers.advance(1_000)
    expect(await world.outcome()).toMatchObject({ kind: 'unavailable', cause: 'session_store' })
  })
})
