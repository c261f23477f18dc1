import type { Redis } from 'ioredis'
import type { RedisAnswer, RedisConnection } from './redis-connection.ts'

/**
 * A session in Redis: its sealed contents, and what tells them from all others that it had or will have. A number that
 * counts up would not: a replica that takes over without the last changes gives the same ones to other contents.
 */
export interface SessionRecord {
  readonly sealed: string
  readonly version: string
}

/** A change to a record. */
export interface RecordChange {
  readonly key: string
  readonly sealed: string
  /** Random. */
  readonly version: string
  /** Redis forgets the record after so many seconds. */
  readonly ttlSeconds: number
}

/** Where a session is listed, and for how long it may live at most. */
export interface Listing {
  readonly indexes: readonly string[]
  readonly longestSeconds: number
  readonly nowSeconds: number
}

/** Contents and version change together, and only what is there is changed: a session that was ended stays ended. */
const REPLACE = `
local version = redis.call('HGET', KEYS[1], 'n')
if not version or (ARGV[4] ~= '' and ARGV[4] ~= version) then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'n', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1`

/** Whoever holds a lock releases it; its value tells him from whoever took it once it had run out. */
const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

/** As SET NX, of several keys that go together. */
const CLAIM = `
if redis.call('EXISTS', unpack(KEYS)) > 0 then return 0 end
for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end
return 1`

/** A list outlives the longest session in it. */
const LIST = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('EXPIRE', KEYS[1], ARGV[3]) end`

/** The commands of the session store, each one round trip. */
export class SessionRecords {
  readonly #connection: RedisConnection

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  /** `undefined`: there is no such session. */
  read(key: string): Promise<RedisAnswer<SessionRecord | undefined>> {
    return this.#connection.run('read', async (redis) => {
      const [sealed, version] = await redis.hmget(key, 'v', 'n')
      return typeof sealed === 'string' && typeof version === 'string' ? { sealed, version } : undefined
    })
  }

  /** The version alone: most reads find that nothing changed. */
  version(key: string): Promise<RedisAnswer<string | undefined>> {
    return this.#connection.run('read', async (redis) => (await redis.hget(key, 'n')) ?? undefined)
  }

  /** Adds a session in place of others, and lists it under the index keys. */
  create(change: RecordChange, listing: Listing, ended: readonly string[]): Promise<RedisAnswer<void>> {
    const { key, sealed, version, ttlSeconds } = change
    return this.#connection.run('create', async (redis) => {
      const transaction = redis.multi().hset(key, 'v', sealed, 'n', version).expire(key, ttlSeconds)
      if (ended.length > 0) transaction.del(...ended)
      for (const index of listing.indexes) transaction.eval(LIST, 1, index, ...listed(key, listing))
      const replies = await transaction.exec()
      if (replies === null || replies.some(([error]) => error !== null)) throw new Error('not created')
    })
  }

  /** Lists a session under more index keys. */
  list(key: string, listing: Listing): Promise<RedisAnswer<unknown>> {
    return this.#connection.run('touch', (redis) =>
      Promise.all(listing.indexes.map((index) => redis.eval(LIST, 1, index, ...listed(key, listing)))),
    )
  }

  /** Replaces the contents of a session that is there. @returns Whether it was. */
  replace(change: RecordChange): Promise<RedisAnswer<boolean>> {
    return this.#connection.run('update', (redis) => replace(redis, change, ''))
  }

  /** As `replace`, but only what nobody changed since `version`. */
  touch(change: RecordChange, version: string): Promise<RedisAnswer<boolean>> {
    return this.#connection.run('touch', (redis) => replace(redis, change, version))
  }

  delete(keys: readonly string[]): Promise<RedisAnswer<number>> {
    return this.#connection.run('delete', (redis) => redis.del(...keys))
  }

  /** Deletes all sessions that are listed. @returns How many sessions there were. */
  deleteListed(indexes: readonly string[]): Promise<RedisAnswer<number>> {
    return this.#connection.run('delete_by', async (redis) => {
      const lists = await Promise.all(indexes.map((index) => redis.zrange(index, '0', '-1')))
      const keys = [...new Set(lists.flat())]
      if (keys.length === 0) return 0
      const ended = await redis.del(...keys)
      // Not the lists whole: a session may have begun meanwhile.
      await Promise.all(indexes.map((index) => redis.zrem(index, ...keys)))
      return ended
    })
  }

  /** @returns Whether the lock was free. */
  lock(key: string, holder: string, ttlMs: number): Promise<RedisAnswer<boolean>> {
    return this.#connection.run(
      'lock',
      async (redis) => (await redis.set(key, holder, 'PX', ttlMs, 'NX')) !== null,
    )
  }

  /** @returns Whether none of the keys was there. */
  claim(keys: readonly string[], holder: string, ttlMs: number): Promise<RedisAnswer<boolean>> {
    return this.#connection.run(
      'claim',
      async (redis) => (await redis.eval(CLAIM, keys.length, ...keys, holder, ttlMs)) === 1,
    )
  }

  keepClaim(keys: readonly string[], holder: string, seconds: number): Promise<RedisAnswer<unknown>> {
    return this.#connection.run('claim', (redis) =>
      Promise.all(keys.map((key) => redis.set(key, holder, 'EX', seconds))),
    )
  }

  unlock(key: string, holder: string): Promise<RedisAnswer<unknown>> {
    return this.#connection.run('unlock', (redis) => redis.eval(UNLOCK, 1, key, holder))
  }
}

async function replace(redis: Redis, change: RecordChange, before: string): Promise<boolean> {
  const { key, sealed, version, ttlSeconds } = change
  return (await redis.eval(REPLACE, 1, key, sealed, version, ttlSeconds, before)) === 1
}

function listed(key: string, { longestSeconds, nowSeconds }: Listing): (string | number)[] {
  return [nowSeconds, nowSeconds + longestSeconds, longestSeconds, key]
}
