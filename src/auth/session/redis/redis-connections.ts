import type { RedisServer } from '../../../table/policy.ts'
import type { AddressGuard } from '../../authorization-server/address-guard.ts'
import type { AuthSnapshot } from '../../authorize.ts'
import type { SessionObserver } from '../session-observer.ts'
import { RedisConnection } from './redis-connection.ts'

interface Kept {
  readonly id: string
  readonly connection: RedisConnection
  readonly passwords: readonly (string | undefined)[]
}

/**
 * The connections of one proxy thread: one to each Redis that the policies of the newest snapshot name, and for requests
 * that began with another snapshot one with the passwords of theirs.
 */
export class RedisConnections {
  readonly #guard: AddressGuard
  readonly #observer: SessionObserver | undefined
  readonly #connections = new Set<Kept>()
  readonly #seen = new WeakSet<AuthSnapshot>()

  constructor(guard: AddressGuard, observer: SessionObserver | undefined) {
    this.#guard = guard
    this.#observer = observer
  }

  /** The connection to this server; a new one where its passwords changed. */
  get(snapshot: AuthSnapshot, server: RedisServer): RedisConnection {
    this.#retain(snapshot)
    const passwords = passwordsOf(snapshot, server)
    for (const known of this.#connections) {
      if (known.id === server.id && isEqual(known.passwords, passwords)) return known.connection
    }
    const [password, sentinelPassword] = passwords
    const connection = new RedisConnection(
      server,
      {
        ...(password !== undefined && { password }),
        ...(sentinelPassword !== undefined && { sentinelPassword }),
      },
      this.#guard,
      this.#observer,
    )
    this.#connections.add({ id: server.id, connection, passwords })
    return connection
  }

  close(): void {
    for (const { connection } of this.#connections) connection.close()
    this.#connections.clear()
  }

  /** Once per snapshot: closes what it does not name any more, or names with other passwords. */
  #retain(snapshot: AuthSnapshot): void {
    if (this.#seen.has(snapshot)) return
    this.#seen.add(snapshot)
    const named = new Map<string, RedisServer>()
    for (const { session } of Object.values(snapshot.table.policies)) {
      if (session.redis !== undefined) named.set(session.redis.id, session.redis)
    }
    for (const kept of this.#connections) {
      const server = named.get(kept.id)
      if (server !== undefined && isEqual(passwordsOf(snapshot, server), kept.passwords)) continue
      this.#connections.delete(kept)
      kept.connection.close()
    }
  }
}

function passwordsOf(
  snapshot: AuthSnapshot,
  { password, sentinel }: RedisServer,
): readonly (string | undefined)[] {
  return [password && snapshot.secret(password), sentinel?.password && snapshot.secret(sentinel.password)]
}

function isEqual(one: Kept['passwords'], other: Kept['passwords']): boolean {
  return one.every((password, index) => password === other[index])
}
