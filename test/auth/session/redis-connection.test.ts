import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RedisServer } from '../../../src/table/policy.ts'
import { RedisProcess, redisRequirement, type RedisServerOptions } from '../../support/redis-server.ts'
import { createPrivateCa } from '../authorization-server/private-ca.ts'
import { snapshotOf } from '../relying-party/login-fixture.ts'
import { redisStores } from './redis-stores.ts'
import { worldOf, type StoreWorld } from './store-world.ts'

/** Short, so that tests need not wait; Redis on this machine answers within a millisecond. */
/** Short, since some tests wait for them to pass; not so short that a busy machine does. */
const QUICK = { connectTimeoutMs: 1_000, readTimeoutMs: 1_000 }

async function start(options: RedisServerOptions = {}): Promise<RedisProcess> {
  const redis = await RedisProcess.start(options)
  onTestFinished(() => redis[Symbol.asyncDispose]())
  return redis
}

function worldOn(
  redis: RedisProcess,
  changes: Partial<RedisServer> = {},
  secrets: Readonly<Record<string, string>> = {},
): StoreWorld {
  const stores = redisStores(redis, { ...QUICK, ...changes })
  const world = worldOf(stores.newStore, { redis: stores.server })
  world.snapshot = snapshotOf([world.policy], [world.key], secrets)
  return world
}

async function outcome(world: StoreWorld): Promise<string> {
  const saved = await world.store.create(world.request(), world.session())
  return saved.ok ? 'ok' : saved.reason
}

/** Gives the browser a session cookie of the world's realm, whose session lives elsewhere. */
async function giveCookie(world: StoreWorld, elsewhere: RedisProcess): Promise<void> {
  const { server, newStore } = redisStores(elsewhere, QUICK)
  const policy = { ...world.policy, session: { ...world.policy.session, redis: server } }
  const request = world.request(undefined, policy)
  const saved = await newStore(world.clock).create(request, world.session())
  if (!saved.ok) throw new Error(`not created: ${saved.reason}`)
  world.browser.takeHeaders(saved.setCookies, request.facts)
}

/** Asks until the store answers. */
async function answered<T>(ask: () => Promise<T>, unavailable: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (!unavailable(answer)) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A way to Redis whose connections can go silent, while new ones come through. */
async function wayTo({ port }: RedisProcess): Promise<{ readonly port: number; dieSilently(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const onward = connect({ host: '127.0.0.1', port })
    sockets.add(socket).add(onward)
    for (const each of [socket, onward]) each.on('error', () => undefined)
    socket.pipe(onward).pipe(socket)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const dieSilently = (): void => {
    for (const socket of sockets) socket.unpipe().pause()
  }
  return { port: (server.address() as AddressInfo).port, dieSilently }
}

function recovered(world: StoreWorld): Promise<string> {
  const ask = async (): Promise<string> => (await world.store.reread(world.request())).kind
  return answered(ask, (kind) => kind === 'unavailable')
}

describe.skipIf(redisRequirement())('Redis that is away', () => {
  test('at the start gives no answer, and answers once it is there', async () => {
    const redis = await start()
    await redis.kill()
    const world = worldOn(redis)
    expect(await outcome(world)).toBe('unavailable')
    await redis.start()
    const isAway = (reason: string): boolean => reason === 'unavailable'
    expect(await answered(() => outcome(world), isAway)).toBe('ok')
  })

  test('later makes sessions unavailable and not invalid, and they go on once it answers again', async () => {
    const redis = await start()
    const world = worldOn(redis)
    await world.create()
    redis.pause()
    world.clock.advance(1_000)
    expect(await world.open()).toEqual({
      kind: 'unavailable',
      cause: 'session_store',
      detail: 'Redis gives no answer: timed out',
      retryAfterSeconds: 1,
    })
    expect(world.browser.names()).not.toEqual([])
    redis.resume()
    expect(await recovered(world)).toBe('session')
  })

  test('for a moment leaves no lock and no claim behind that nobody holds', async () => {
    const redis = await start()
    const world = worldOn(redis)
    const session = world.session()
    await world.create(session)
    const { store, snapshot, policy } = world
    redis.pause()
    const locking = store.lock(world.request(), session, 60_000)
    expect(await store.claim(snapshot, policy, 'jti-1')).toEqual({ kind: 'unavailable' })
    expect(await locking).toEqual({ kind: 'unavailable' })
    redis.resume()
    expect(await recovered(world)).toBe('session')
    expect((await store.lock(world.request(), session, 1_000)).kind).toBe('held')
    expect((await store.claim(snapshot, policy, 'jti-1')).kind).toBe('first')
  })

  test('and closes nothing, as when its machine is gone, is connected to anew', async () => {
    const redis = await start()
    const way = await wayTo(redis)
    const world = worldOn(redis, { nodes: [{ host: '127.0.0.1', port: way.port }] })
    await world.create()
    way.dieSilently()
    expect((await world.store.reread(world.request())).kind).toBe('unavailable')
    expect(await recovered(world)).toBe('session')
  })

  test.each([
    ['ECONNREFUSED', {}, []],
    ['WRONGPASS', { password: 'shop/redis/wrong' }, ['requirepass right']],
    ['NOAUTH', {}, ['requirepass right']],
    ['NOPERM', { prefix: 'other:' }, ['user default on nopass ~ostiary:* +@all']],
    ['NO_MASTER', { sentinel: { master: 'mymaster' } }, []],
  ])('says why: %s', async (code, changes, config) => {
    const redis = await start({ config })
    if (code === 'ECONNREFUSED') await redis.kill()
    const world = worldOn(redis, changes, { 'shop/redis/wrong': 'wrong' })
    const helper = await start()
    await giveCookie(world, helper)
    expect(await world.store.reread(world.request())).toMatchObject({
      kind: 'unavailable',
      detail: `Redis gives no answer: ${code}`,
    })
  })

  test('says no to every act on a session, and nothing throws', async () => {
    const redis = await start()
    const world = worldOn(redis)
    const session = world.session()
    await world.create(session)
    await redis.kill()
    const request = world.request()
    const { store, snapshot, policy } = world
    const no = { ok: false, reason: 'unavailable' }
    expect(await store.create(request, session)).toEqual(no)
    expect(await store.update(request, session)).toEqual(no)
    expect(await store.lock(request, session, 1_000)).toEqual({ kind: 'unavailable' })
    expect(await store.destroyBy(snapshot, policy, { issuer: 'x', sub: 'y' })).toEqual(no)
    expect((await store.reread(request)).kind).toBe('unavailable')
    const ended = await store.destroy(request)
    expect(ended.ok).toBe(false)
    expect(ended.clearCookies).toContainEqual(['set-cookie', expect.stringMatching(/Max-Age=0/)])
  })

  test('a restart between two requests is bridged: nobody sees it', async () => {
    const redis = await start()
    const world = worldOn(redis, { connectTimeoutMs: 10_000, readTimeoutMs: 10_000 })
    expect(await outcome(world)).toBe('ok')
    await redis.kill()
    await redis.start()
    expect(await outcome(world)).toBe('ok')
  })

  test('counts what failed', async () => {
    const redis = await start()
    const counts: string[] = []
    const observer = {
      operated: (operation: string, result: string) => void counts.push(`${operation} ${result}`),
      refreshed: () => undefined,
      started: () => undefined,
      sealed: () => undefined,
    }
    const stores = redisStores(redis, QUICK, { observer })
    const world = worldOf(stores.newStore, { redis: stores.server })
    await world.create()
    await redis.kill()
    await world.store.reread(world.request())
    expect(counts).toEqual(['create ok', 'read unavailable'])
  })
})

describe.skipIf(redisRequirement())('Redis that wants to know who asks', () => {
  const CONFIG = [
    'requirepass default-password',
    'user ostiary on >acl-password ~shop:* +@all -@dangerous +info',
  ]

  test('is told a password, or a user and a password', async () => {
    const redis = await start({ config: CONFIG })
    const secrets = { 'shop/redis/password': 'default-password', 'shop/redis/acl': 'acl-password' }
    expect(await outcome(worldOn(redis, { password: 'shop/redis/password' }, secrets))).toBe('ok')
    const user = { username: 'ostiary', password: 'shop/redis/acl', prefix: 'shop:' }
    expect(await outcome(worldOn(redis, user, secrets))).toBe('ok')
    expect(await outcome(worldOn(redis, { ...user, prefix: 'other:' }, secrets))).toBe('unavailable')
  })

  test('is not reached with a wrong password or none', async () => {
    const redis = await start({ config: CONFIG })
    expect(await outcome(worldOn(redis))).toBe('unavailable')
    const wrong = worldOn(redis, { password: 'shop/redis/password' }, { 'shop/redis/password': 'wrong' })
    expect(await outcome(wrong)).toBe('unavailable')
  })

  test('is reached with a new password as soon as a snapshot has it', async () => {
    const redis = await start({ config: CONFIG })
    const world = worldOn(redis, { password: 'shop/redis/password' }, { 'shop/redis/password': 'wrong' })
    expect(await outcome(world)).toBe('unavailable')
    const secrets = { 'shop/redis/password': 'default-password' }
    world.snapshot = snapshotOf([world.policy], [world.key], secrets)
    expect(await outcome(world)).toBe('ok')
  })

  test('keeps sessions in the database and under the prefix that were asked for', async () => {
    const redis = await start()
    expect(await outcome(worldOn(redis, { database: 3, prefix: 'shop:' }))).toBe('ok')
    const admin = new Redis(redis.port, { db: 3 })
    onTestFinished(() => admin.disconnect())
    const keys = await admin.keys('*')
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) expect(key).toMatch(/^shop:[si]:/)
  })
})

describe.skipIf(redisRequirement())('Redis with TLS', () => {
  test('is believed when its certificate is of a trusted authority and of its name', async () => {
    const pem = await createPrivateCa({ type: 7, ip: '127.0.0.1' })
    const redis = await start({ tls: pem })
    const tls = { certificateAuthorities: pem.ca, insecureSkipVerify: false }
    expect(await outcome(worldOn(redis, { tls }))).toBe('ok')
    expect(await outcome(worldOn(redis, { tls: { ...tls, serverName: 'redis.internal' } }))).toBe(
      'unavailable',
    )
    expect(await outcome(worldOn(redis, { tls: { insecureSkipVerify: false } }))).toBe('unavailable')
    expect(await outcome(worldOn(redis, { tls: { insecureSkipVerify: true } }))).toBe('ok')
    expect(await outcome(worldOn(redis))).toBe('unavailable')
  })

  test('is known by the name that was configured', async () => {
    const pem = await createPrivateCa({ type: 2, value: 'redis.internal' })
    const redis = await start({ tls: pem })
    const tls = { certificateAuthorities: pem.ca, insecureSkipVerify: false }
    expect(await outcome(worldOn(redis, { tls: { ...tls, serverName: 'redis.internal' } }))).toBe('ok')
    expect(await outcome(worldOn(redis, { tls }))).toBe('unavailable')
  })
})

describe.skipIf(redisRequirement())('Redis behind Sentinels', () => {
  interface Group {
    readonly master: RedisProcess
    readonly replica: RedisProcess
    readonly sentinel: RedisProcess
  }

  async function startGroup(
    config: readonly string[] = [],
    sentinelConfig: readonly string[] = [],
  ): Promise<Group> {
    const master = await start({ config: [...config, 'repl-diskless-sync-delay 0'] })
    const replica = await start({ config: [...config, `replicaof 127.0.0.1 ${master.port}`] })
    await replicated(master, config.length === 0 ? undefined : 'redis-password')
    // A Sentinel looks for replicas when it starts, and ten seconds later.
    const sentinel = await start({
      sentinel: true,
      config: [
        `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
        'sentinel down-after-milliseconds mymaster 300',
        'sentinel failover-timeout mymaster 2000',
        ...sentinelConfig,
      ],
    })
    return { master, replica, sentinel }
  }

  /** Until everything that was written is on the replica too. */
  async function replicated({ port }: RedisProcess, password?: string): Promise<void> {
    const admin = new Redis(port, { ...(password !== undefined && { password }) })
    await admin.set('marker', '1')
    await admin.wait(1, 5_000)
    admin.disconnect()
  }

  test('is found where they say, and again after a failover, with its sessions', async () => {
    const group = await startGroup()
    const world = worldOn(group.sentinel, { sentinel: { master: 'mymaster' } })
    await world.create()
    await replicated(group.master)
    await group.master.kill()
    expect((await world.store.reread(world.request())).kind).toBe('unavailable')
    expect(await recovered(world)).toBe('session')
    expect(await outcome(world)).toBe('ok')
  }, 20_000)

  test('is found past a Sentinel that is away, and not under a name that they do not watch', async () => {
    const { master, sentinel } = await startGroup()
    const away = await start()
    await away.kill()
    const nodes = [away, sentinel].map(({ port }) => ({ host: '127.0.0.1', port }))
    const named = worldOn(sentinel, { nodes, sentinel: { master: 'mymaster' } })
    expect(await outcome(named)).toBe('ok')
    expect(await outcome(worldOn(sentinel, { sentinel: { master: 'other' } }))).toBe('unavailable')
    const admin = new Redis(master.port)
    onTestFinished(() => admin.disconnect())
    expect(await admin.dbsize()).toBeGreaterThan(0)
  })

  test('is asked with passwords of its own on either side', async () => {
    const { sentinel } = await startGroup(
      ['requirepass redis-password', 'masterauth redis-password'],
      ['sentinel auth-pass mymaster redis-password', 'requirepass sentinel-password'],
    )
    const passwords = { password: 'shop/redis/p', sentinel: { master: 'mymaster', password: 'shop/redis/s' } }
    const secrets = { 'shop/redis/p': 'redis-password', 'shop/redis/s': 'sentinel-password' }
    expect(await outcome(worldOn(sentinel, passwords, secrets))).toBe('ok')
    expect(await outcome(worldOn(sentinel, passwords, { ...secrets, 'shop/redis/s': 'wrong' }))).toBe(
      'unavailable',
    )
  })

  test('a replica that a stale Sentinel names is not taken for the master, not even to read', async () => {
    const { master, replica, sentinel } = await startGroup()
    const world = worldOn(sentinel, { sentinel: { master: 'mymaster' } })
    await world.create()
    await replicated(master)
    const stale = await start({
      sentinel: true,
      config: [
        `sentinel monitor mymaster 127.0.0.1 ${replica.port} 1`,
        'sentinel down-after-milliseconds mymaster 60000',
      ],
    })
    const { server, newStore } = redisStores(stale, { ...QUICK, sentinel: { master: 'mymaster' } })
    const policy = { ...world.policy, session: { ...world.policy.session, redis: server } }
    const lookup = await newStore(world.clock).reread(world.request(undefined, policy))
    expect(lookup.kind).toBe('unavailable')
  })

  test('TLS holds to Sentinels and to the master that they name', async () => {
    const pem = await createPrivateCa({ type: 7, ip: '127.0.0.1' })
    const master = await start({ tls: pem })
    const sentinel = await start({
      sentinel: true,
      tls: pem,
      config: ['tls-replication yes', `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`],
    })
    const tls = { certificateAuthorities: pem.ca, insecureSkipVerify: false }
    expect(await outcome(worldOn(sentinel, { tls, sentinel: { master: 'mymaster' } }))).toBe('ok')
    expect(await outcome(worldOn(sentinel, { sentinel: { master: 'mymaster' } }))).toBe('unavailable')
  })
})
