import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { anyAddress, type AddressGuard } from '../../../src/auth/authorization-server/address-guard.ts'
import { RedisConnections } from '../../../src/auth/session/redis/redis-connections.ts'
import { RedisSessionStore } from '../../../src/auth/session/redis/redis-session-store.ts'
import { SessionKeys } from '../../../src/auth/session/session-keys.ts'
import type { SessionObserver } from '../../../src/auth/session/session-observer.ts'
import type { RedisServer } from '../../../src/table/policy.ts'
import type { RedisProcess } from '../../support/redis-server.ts'
import type { NewStore } from './store-world.ts'

export interface RedisStores {
  readonly server: RedisServer
  readonly newStore: NewStore
}

/** What a plugin's `redis` compiles to. */
export function redisServerOf(
  { port }: { readonly port: number },
  changes: Partial<RedisServer> = {},
): RedisServer {
  return {
    id: JSON.stringify([port, changes]),
    nodes: [{ host: '127.0.0.1', port }],
    database: 0,
    prefix: 'ostiary:',
    connectTimeoutMs: 2_000,
    readTimeoutMs: 2_000,
    ...changes,
  }
}

/** Stores on a Redis, each with a connection of its own that is closed when the test is over. */
export function redisStores(
  redis: RedisProcess,
  changes: Partial<RedisServer> = {},
  options: { readonly guard?: AddressGuard; readonly observer?: SessionObserver } = {},
): RedisStores {
  const newStore: NewStore = (clock) => {
    const connections = new RedisConnections(options.guard ?? anyAddress, options.observer)
    onTestFinished(() => connections.close())
    return new RedisSessionStore({ clock, randomBytes, keys: new SessionKeys(), connections })
  }
  return { server: redisServerOf(redis, changes), newStore }
}
