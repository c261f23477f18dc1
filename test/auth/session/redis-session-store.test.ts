import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { noLocalAddress } from '../../../src/auth/authorization-server/address-guard.ts'
import { openContents, sealContents } from '../../../src/auth/session/redis/known-sessions.ts'
import { open } from '../../../src/auth/session/seal.ts'
import { SessionKeys } from '../../../src/auth/session/session-keys.ts'
import type { SessionStore } from '../../../src/auth/session/session-store.ts'
import type { Session } from '../../../src/auth/session/session.ts'
import type { Policy } from '../../../src/table/policy.ts'
import { RedisProcess, redisRequirement } from '../../support/redis-server.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { factsOf } from '../relying-party/browser.ts'
import { jwtOf, newKey } from '../relying-party/login-fixture.ts'
import { redisStores } from './redis-stores.ts'
import { APP, sessionIn, worldOf, type StoreWorld } from './store-world.ts'

describe.skipIf(redisRequirement())('sessions in Redis', () => {
  let redis: RedisProcess
  let admin: Redis

  beforeAll(async () => {
    redis = await RedisProcess.start()
    admin = new Redis(redis.port)
  })
  beforeEach(() => admin.flushall())
  afterAll(async () => {
    admin.disconnect()
    await redis[Symbol.asyncDispose]()
  })

  function newWorld(session: Partial<Policy['session']> = {}): StoreWorld {
    const stores = redisStores(redis)
    return worldOf(stores.newStore, { ...session, redis: stores.server })
  }

  /** Everything that Redis holds, as text. */
  async function contents(): Promise<Record<string, unknown>> {
    const all: Record<string, unknown> = {}
    for (const key of await admin.keys('*')) {
      const type = await admin.type(key)
      all[key] = type === 'hash' ? await admin.hgetall(key) : await admin.zrange(key, '0', '-1')
    }
    return all
  }

  describe('reveal nothing', () => {
    test('through Redis alone, nor with the keys of the server, nor with a cookie', async () => {
      const world = newWorld()
      const session = world.session({
        idToken: jwtOf({ sub: 'alice', sid: 'sid-1', iss: 'https://login.example.com' }),
      })
      await world.create(session)
      const dump = JSON.stringify(await contents())
      for (const secret of [
        'alice',
        'sid-1',
        'login.example.com',
        session.accessToken,
        world.cookie().split('=')[1],
      ]) {
        expect(dump).not.toContain(secret)
      }
      const sealed = (await admin.hget(`ostiary:s:${session.id}`, 'v')) ?? ''
      const ring = new SessionKeys().ringOf(world.snapshot)
      const { realm } = world.policy.session
      expect(open(sealed, ring, { purpose: 'redis-session', realm, name: session.id })).toBeUndefined()
      world.rotateTo(newKey())
      expect((await world.open()).kind).toBe('invalid')
    })

    test('with the keys of the server and the id of the session alone', () => {
      const world = newWorld()
      const ring = new SessionKeys().ringOf(world.snapshot)
      const session = world.session()
      const { realm } = world.policy.session
      const owner = (key: Buffer) => ({ realm, handle: { id: session.id, key } })
      const sealed = sealContents(session, owner(Buffer.alloc(32, 1)), ring, randomBytes) ?? ''
      const record = { sealed, version: '1' }
      expect(openContents(record, owner(Buffer.alloc(32, 1)), ring)?.lookup.session).toEqual(session)
      expect(openContents(record, owner(Buffer.alloc(32, 2)), ring)).toBeUndefined()
      expect(openContents(record, { ...owner(Buffer.alloc(32, 1)), realm: 'other' }, ring)).toBeUndefined()
    })

    test('to another session whose record is put in their place', async () => {
      const world = newWorld()
      const victim = world.session()
      await world.create(victim)
      const attacker = newWorld()
      attacker.rotateTo(world.key)
      const own = attacker.session()
      await attacker.create(own)
      await admin.copy(`ostiary:s:${victim.id}`, `ostiary:s:${own.id}`, 'REPLACE')
      expect((await attacker.open(APP, attacker.newThread())).kind).toBe('invalid')
    })

    test('and take few bytes in the browser, whatever their tokens', async () => {
      const world = newWorld()
      const groups = Array.from({ length: 800 }, (_, index) => `group-${index}`)
      const [cookie = '', ...others] = await world.create(world.session({ idToken: jwtOf({ groups }) }))
      expect(others).toEqual([])
      expect(cookie.length).toBeLessThan(300)
    })
  })

  describe('are read', () => {
    test('in the first second of a thread too, when its clock has just begun', async () => {
      const redisAndStore = redisStores(redis)
      const world = worldOf(redisAndStore.newStore, { redis: redisAndStore.server })
      await world.create()
      const now = world.clock.now()
      const young = redisAndStore.newStore(Object.assign(new ManualClock(now), { monotonic: () => 300 }))
      expect((await world.open(APP, young)).kind).toBe('session')
    })

    test('at once within a second, and anew after it', async () => {
      const world = newWorld()
      await world.create()
      await world.open()
      world.clock.advance(999)
      expect(world.store.open(world.request())).not.toBeInstanceOf(Promise)
      world.clock.advance(1)
      expect(world.store.open(world.request())).toBeInstanceOf(Promise)
    })

    test('once for all requests that come at the same time', async () => {
      const reads: string[] = []
      const observer = {
        operated: (operation: string) => void reads.push(operation),
        refreshed: () => undefined,
        started: () => undefined,
        sealed: () => undefined,
      }
      const stores = redisStores(redis, {}, { observer })
      const world = worldOf(stores.newStore, { redis: stores.server })
      await world.create()
      reads.length = 0
      const kinds = await Promise.all(Array.from({ length: 50 }, async () => (await world.open()).kind))
      expect(new Set(kinds)).toEqual(new Set(['session']))
      expect(reads).toEqual(['read'])
    })

    test('anew where that is asked for, also while a read is under way', async () => {
      const reads: string[] = []
      const observer = {
        operated: (operation: string) => void reads.push(operation),
        refreshed: () => undefined,
        started: () => undefined,
        sealed: () => undefined,
      }
      const stores = redisStores(redis, {}, { observer })
      const world = worldOf(stores.newStore, { redis: stores.server })
      await world.create()
      reads.length = 0
      await Promise.all([world.open(), world.store.reread(world.request())])
      expect(reads).toEqual(['read', 'read'])
    })

    test('not at all for a cookie that is none of ours', async () => {
      const reads: string[] = []
      const observer = {
        operated: (operation: string) => void reads.push(operation),
        refreshed: () => undefined,
        started: () => undefined,
        sealed: () => undefined,
      }
      const stores = redisStores(redis, {}, { observer })
      const world = worldOf(stores.newStore, { redis: stores.server })
      await world.create()
      reads.length = 0
      expect((await world.openCookie(world.cookie().replace('=1.', '=1.A'), APP, world.store)).kind).toBe(
        'invalid',
      )
      expect(reads).toEqual([])
    })
  })

  describe('that were ended', () => {
    test('are gone here at once, and on every other thread within a second', async () => {
      const world = newWorld()
      const other = world.newThread()
      await world.create()
      const cookie = world.cookie()
      await world.open()
      await world.openCookie(cookie, APP, other)
      await world.store.destroy(world.request())
      expect((await world.openCookie(cookie, APP, world.store)).kind).toBe('invalid')
      world.clock.advance(1_000)
      expect((await world.openCookie(cookie, APP, other)).kind).toBe('invalid')
      expect((await world.openCookie(cookie)).kind).toBe('invalid')
    })

    test('do not come back by a touch or an update of a thread that knew them', async () => {
      const world = newWorld({ idlingTimeoutSeconds: 900 })
      const other = world.newThread()
      const session = world.session()
      await world.create(session)
      const request = world.request()
      world.clock.advance(59_500)
      await other.open(request)
      await world.store.destroy(request)
      world.clock.advance(500)
      expect((await other.open(request)).kind).toBe('session')
      expect(await other.update(request, session)).toEqual({ ok: false, reason: 'gone' })
      expect(await admin.exists(`ostiary:s:${session.id}`)).toBe(0)
      world.clock.advance(500)
      expect((await other.open(request)).kind).toBe('invalid')
    })

    test('do not take a session along that was begun meanwhile', async () => {
      const world = newWorld()
      await world.create()
      const [first, request] = [world.cookie(), world.request()]
      await world.create()
      await world.store.destroy(request)
      expect((await world.openCookie(first)).kind).toBe('invalid')
      expect((await world.open()).kind).toBe('session')
    })
  })

  describe('that begin', () => {
    test('end those that the browser had, whoever planted them', async () => {
      const shared = { cookieDomain: 'example.com' }
      const world = newWorld(shared)
      const attacker = newWorld(shared)
      attacker.rotateTo(world.key)
      await attacker.create(attacker.session({ accessToken: 'opaque-planted', accessTokenClaims: {} }))
      await attacker.open()
      const planted = attacker.cookie()
      world.clock.advance(10_000)
      const facts = factsOf(APP, { headers: { cookie: planted } })
      const own = world.session({ accessToken: 'opaque-own', accessTokenClaims: {} })
      const saved = await world.store.create({ ...world.request(), facts }, own)
      if (!saved.ok) throw new Error(saved.reason)
      world.browser.takeHeaders(saved.setCookies, facts)
      const both = `${planted}; ${world.cookie()}`
      expect(sessionIn(await world.openCookie(both, APP, world.store)).accessToken).toBe('opaque-own')
      expect(sessionIn(await world.openCookie(both)).accessToken).toBe('opaque-own')
      expect((await world.openCookie(planted)).kind).toBe('invalid')
    })

    test('leave those of other browsers alone', async () => {
      const world = newWorld()
      await world.create()
      const first = world.cookie()
      const facts = factsOf(APP, {})
      expect(await world.store.create({ ...world.request(), facts }, world.session())).toMatchObject({
        ok: true,
      })
      expect((await world.openCookie(first)).kind).toBe('session')
    })
  })

  test('that a failover set back and others changed since are read anew', async () => {
    const world = newWorld()
    const session = world.session()
    await world.create(session)
    const other = world.newThread()
    const key = `ostiary:s:${session.id}`
    await world.open()
    const before = await admin.hgetall(key)
    const changed = (accessToken: string): Session => ({ ...session, accessToken, accessTokenClaims: {} })
    const request = world.request()
    await world.store.update(request, changed('opaque-lost'))
    await admin.hset(key, before)
    await other.open(request)
    await other.update(request, changed('opaque-kept'))
    world.clock.advance(1_000)
    expect(sessionIn(await world.open()).accessToken).toBe('opaque-kept')
  })

  describe('know what may be used once', () => {
    test('on every replica, also while the server keys rotate, and tell Redis nothing of it', async () => {
      const world = newWorld()
      const other = world.newThread()
      const { policy, snapshot: before } = world
      world.rotateTo(newKey(), world.key)
      const first = await world.store.claim(world.snapshot, policy, 'jti-1')
      expect(first.kind).toBe('first')
      for (const snapshot of [before, world.snapshot]) {
        expect(await other.claim(snapshot, policy, 'jti-1')).toEqual({ kind: 'used' })
      }
      if (first.kind === 'first') await first.keep(600)
      const keys = await admin.keys('*')
      expect(keys).toHaveLength(2)
      expect(keys.join(' ')).not.toContain('jti-1')
      for (const key of keys) expect(await admin.ttl(key)).toBeGreaterThan(500)
      const client = { ...policy.client!, id: 'other' }
      expect((await other.claim(world.snapshot, { ...policy, client }, 'jti-1')).kind).toBe('first')
    })

    test('for some seconds where it is neither kept nor released, and not at all once released', async () => {
      const world = newWorld()
      const first = await world.store.claim(world.snapshot, world.policy, 'jti-1')
      const [key = ''] = await admin.keys('*')
      const leftMs = await admin.pttl(key)
      expect(leftMs > 0 && leftMs <= 10_000).toBe(true)
      if (first.kind === 'first') await first.release()
      expect((await world.store.claim(world.snapshot, world.policy, 'jti-1')).kind).toBe('first')
    })
  })

  describe('are ended by subject', () => {
    const issuer = 'https://login.example.com/oauth2/default'

    async function signIn(world: StoreWorld, claims: object): Promise<string> {
      // On another device: a browser that signs in anew ends the session that it had.
      world.browser.forget(/./)
      await world.create(world.session({ idToken: jwtOf({ iss: issuer, ...claims }) }))
      return world.cookie()
    }

    async function kinds(
      world: StoreWorld,
      cookies: readonly string[],
      store?: SessionStore,
    ): Promise<string[]> {
      return Promise.all(cookies.map(async (cookie) => (await world.openCookie(cookie, APP, store)).kind))
    }

    test('all of a user, on every replica within a second, and of nobody else', async () => {
      const world = newWorld()
      const other = world.newThread()
      const cookies = [
        await signIn(world, { sub: 'alice', sid: '1' }),
        await signIn(world, { sub: 'alice', sid: '2' }),
        await signIn(world, { sub: 'bob', sid: '3' }),
      ]
      await kinds(world, cookies, other)
      const ended = await world.store.destroyBy(world.snapshot, world.policy, { issuer, sub: 'alice' })
      expect(ended).toEqual({ ok: true, ended: 2 })
      world.clock.advance(1_000)
      expect(await kinds(world, cookies, other)).toEqual(['invalid', 'invalid', 'session'])
    })

    test('one login by its sid', async () => {
      const world = newWorld()
      const cookies = [
        await signIn(world, { sub: 'alice', sid: '1' }),
        await signIn(world, { sub: 'alice', sid: '2' }),
      ]
      await world.store.destroyBy(world.snapshot, world.policy, { issuer: `${issuer}/`, sid: '1' })
      expect(await kinds(world, cookies)).toEqual(['invalid', 'session'])
    })

    test('not those of another client, or another issuer', async () => {
      const world = newWorld()
      const cookies = [await signIn(world, { sub: 'alice' })]
      const other = { ...world.policy, client: { ...world.policy.client!, id: 'other' } }
      const none = { ok: true, ended: 0 }
      expect(await world.store.destroyBy(world.snapshot, other, { issuer, sub: 'alice' })).toEqual(none)
      const stranger = { issuer: 'https://evil.example', sub: 'alice' }
      expect(await world.store.destroyBy(world.snapshot, world.policy, stranger)).toEqual(none)
      expect(await kinds(world, cookies)).toEqual(['session'])
    })

    test('also once the server keys have rotated, twice', async () => {
      const world = newWorld()
      await signIn(world, { sub: 'alice' })
      const [second, third] = [newKey(), newKey()]
      world.rotateTo(second, world.key)
      await world.open()
      await world.store.reread(world.request())
      await world.store.reread(world.request())
      world.rotateTo(third, second)
      const ended = await world.store.destroyBy(world.snapshot, world.policy, { issuer, sub: 'alice' })
      expect(ended).toEqual({ ok: true, ended: 1 })
    })

    test('nothing stays in Redis for ever', async () => {
      const world = newWorld()
      await signIn(world, { sub: 'alice', sid: '1' })
      for (const key of await admin.keys('*')) {
        expect(await admin.ttl(key)).toBeGreaterThan(0)
        expect(await admin.ttl(key)).toBeLessThanOrEqual(86_400)
      }
    })
  })

  test('a touch does not undo the refresh of another replica', async () => {
    const world = newWorld()
    const other = world.newThread()
    const session = world.session({ refreshToken: 'old' })
    await world.create(session)
    await world.open(APP, other)
    world.clock.advance(59_500)
    await world.open(APP, other)
    await world.store.update(world.request(), { ...session, refreshToken: 'new' })
    world.clock.advance(600)
    expect(sessionIn(await other.open(world.request())).refreshToken).toBe('old')
    expect(sessionIn(await other.reread(world.request())).refreshToken).toBe('new')
    expect(sessionIn(await world.open(APP, world.newThread())).refreshToken).toBe('new')
  })

  test('Redis forgets a session that nobody uses, and later for one in use', async () => {
    const world = newWorld({
      idlingTimeoutSeconds: 300,
      rollingTimeoutSeconds: 0,
      absoluteTimeoutSeconds: 3600,
    })
    const session = world.session({ refreshToken: 'refresh-1' })
    await world.create(session)
    const key = `ostiary:s:${session.id}`
    expect(await admin.ttl(key)).toBe(300)
    await admin.expire(key, 200)
    world.clock.advance(100_000)
    await world.open()
    await world.store.reread(world.request())
    expect(await admin.ttl(key)).toBe(300)
  })

  describe('a lock', () => {
    test('is held by one at a time, until it is released', async () => {
      const world = newWorld()
      const other = world.newThread()
      const session = world.session()
      const request = world.request()
      const lock = await world.store.lock(request, session, 5_000)
      expect((await other.lock(request, session, 5_000)).kind).toBe('busy')
      expect((await other.lock(request, world.session(), 5_000)).kind).toBe('held')
      if (lock.kind === 'held') await lock.release()
      expect((await other.lock(request, session, 5_000)).kind).toBe('held')
    })

    test('that ran out is not released for whoever took it next', async () => {
      const world = newWorld()
      const session = world.session()
      const request = world.request()
      const lock = await world.store.lock(request, session, 5_000)
      await admin.del(`ostiary:l:${session.id}`)
      expect((await world.store.lock(request, session, 5_000)).kind).toBe('held')
      if (lock.kind === 'held') await lock.release()
      expect((await world.newThread().lock(request, session, 5_000)).kind).toBe('busy')
    })

    test('runs out by itself', async () => {
      const world = newWorld()
      const session = world.session()
      await world.store.lock(world.request(), session, 5_000)
      expect(await admin.pttl(`ostiary:l:${session.id}`)).toBeGreaterThan(0)
    })
  })

  test('an address that the guard refuses is not connected to', async () => {
    const stores = redisStores(redis, { connectTimeoutMs: 100 }, { guard: noLocalAddress })
    const world = worldOf(stores.newStore, { redis: stores.server })
    expect(await world.store.create(world.request(), world.session())).toEqual({
      ok: false,
      reason: 'unavailable',
    })
    expect(await admin.dbsize()).toBe(0)
  })

  afterEach(async () => {
    expect(await admin.ping()).toBe('PONG')
  })
})
