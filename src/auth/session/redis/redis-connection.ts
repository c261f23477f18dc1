import { Redis } from 'ioredis'
import type { RedisServer } from '../../../table/policy.ts'
import type { AddressGuard } from '../../authorization-server/address-guard.ts'
import type { SessionObserver, SessionOperation } from '../session-observer.ts'
import { guardedConnect } from './guarded-connect.ts'
import { directConnector, sentinelConnector, type ConnectTo } from './redis-connectors.ts'

/** What Redis said, or that it said nothing. */
export type RedisAnswer<T> =
  | { readonly ok: true; readonly value: T }
  /** `fault`: a code of ours, of Node or of Redis, for logs. */
  | { readonly ok: false; readonly fault: string }

/** Resolved from the secret table. */
export interface RedisPasswords {
  readonly password?: string
  readonly sentinelPassword?: string
}

/** A connection that broke so recently is waited for; after that every command fails at once. */
const BRIDGED_MS = 1_000
const MAXIMUM_RECONNECT_PAUSE_MS = 1_000
const FIRST_RECONNECT_PAUSE_MS = 20

/**
 * One connection to a Redis, made when it is first used and remade for ever. Commands never wait for a Redis that is
 * away, and are sent once.
 */
export class RedisConnection {
  readonly #redis: Redis
  readonly #observer: SessionObserver | undefined
  /** What commands wait for while there is no connection yet, or one broke a moment ago. */
  #bridge = Promise.withResolvers<void>()
  #wasReady = false
  /** What the last attempt to connect failed of. */
  #fault = 'not connected'

  constructor(
    server: RedisServer,
    passwords: RedisPasswords,
    guard: AddressGuard,
    observer: SessionObserver | undefined,
  ) {
    this.#observer = observer
    this.#redis = new Redis({ ...optionsOf(server, passwords, guard), lazyConnect: true })
    this.#redis.on('error', (error: unknown) => {
      this.#fault = faultOf(error) ?? this.#fault
    })
    this.#redis.on('ready', () => {
      this.#wasReady = true
      this.#bridge.resolve()
    })
    this.#redis.on('close', () => this.#closed())
    this.#redis.connect().catch(() => undefined)
  }

  /** Runs one command, or a few that go together. */
  async run<T>(operation: SessionOperation, act: (redis: Redis) => Promise<T>): Promise<RedisAnswer<T>> {
    if (this.#redis.status !== 'ready') await this.#bridge.promise
    try {
      const value = await act(this.#redis)
      this.#observer?.operated(operation, 'ok')
      return { ok: true, value }
    } catch (error) {
      this.#observer?.operated(operation, 'unavailable')
      return { ok: false, fault: faultOf(error) ?? this.#fault }
    }
  }

  /** Lets commands under way end. */
  close(): void {
    this.#redis.disconnect()
  }

  /** An attempt that failed ends the wait; only a connection that was good begins another. */
  #closed(): void {
    const { resolve } = this.#bridge
    if (!this.#wasReady) return resolve()
    this.#wasReady = false
    this.#bridge = Promise.withResolvers()
    setTimeout(this.#bridge.resolve, BRIDGED_MS).unref()
  }
}

/**
 * Codes only: messages may quote what was sent. `undefined`: it says no more than that there is no connection, or which
 * of the attempts failed.
 */
function faultOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error.message === 'Command timed out') return 'timed out'
  return error.name === 'ReplyError' ? /^[A-Z]+\b/.exec(error.message)?.[0] : undefined
}

function optionsOf(server: RedisServer, passwords: RedisPasswords, guard: AddressGuard) {
  const connectTo: ConnectTo = (node) => guardedConnect(node, server.tls, guard)
  const common = {
    connectTimeout: server.connectTimeoutMs,
    commandTimeout: server.readTimeoutMs,
    // A server whose machine is gone closes nothing: TCP alone would wait for it for a quarter of an hour.
    socketTimeout: 2 * server.readTimeoutMs,
    // Tells ioredis to wait for the end of the handshake; the connector does the handshake itself.
    ...(server.tls && { tls: {} }),
  }
  const [first = { host: '', port: 0 }] = server.nodes
  const { sentinel } = server
  return {
    ...common,
    ...credentials(server.username, passwords.password),
    Connector:
      sentinel === undefined
        ? directConnector(first, connectTo)
        : sentinelConnector({
            nodes: server.nodes,
            master: sentinel.master,
            connectTo,
            options: { ...common, ...credentials(sentinel.username, passwords.sentinelPassword) },
          }),
    db: server.database,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt: number) =>
      Math.min(FIRST_RECONNECT_PAUSE_MS * 2 ** attempt, MAXIMUM_RECONNECT_PAUSE_MS),
    // A master that became a replica: the new one is somewhere else.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  }
}

function credentials(username: string | undefined, password: string | undefined) {
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) }
}
