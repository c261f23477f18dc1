import { Socket } from 'node:net'
import { AbstractConnector, Redis } from 'ioredis'
import type { RedisNode } from '../../../table/policy.ts'

/** Opens a socket to one address. */
export type ConnectTo = (node: RedisNode) => Socket

type ConnectorClass = new (options: unknown) => AbstractConnector

const CLOSE_TIMEOUT_MS = 1_000

abstract class Connector extends AbstractConnector {
  constructor() {
    super(CLOSE_TIMEOUT_MS)
  }

  /** Takes a socket, which may have failed already. */
  protected take(socket: Socket): Socket {
    this.stream = socket
    if (socket.errored !== null) this.firstError = socket.errored
    socket.once('error', (error: Error) => {
      this.firstError = error
    })
    return socket
  }
}

/** The way to a Redis whose address is known. */
export function directConnector(node: RedisNode, connectTo: ConnectTo): ConnectorClass {
  return class extends Connector {
    override connect(): Promise<Socket> {
      this.connecting = true
      return Promise.resolve(this.take(connectTo(node)))
    }
  }
}

/** Whom Sentinels are asked about, and how they are reached. */
export interface SentinelQuestion {
  readonly nodes: readonly RedisNode[]
  readonly master: string
  readonly connectTo: ConnectTo
  /** Of the connection to a Sentinel. */
  readonly options: {
    readonly connectTimeout: number
    readonly commandTimeout: number
    readonly tls?: object
    readonly username?: string
    readonly password?: string
  }
}

/**
 * The way to the master that Sentinels know (https://redis.io/docs/latest/develop/reference/sentinel-clients/): each
 * time it is connected to, they are asked anew, the one that answered last first; and what answers there must call
 * itself a master.
 */
export function sentinelConnector(question: SentinelQuestion): ConnectorClass {
  let order = question.nodes
  return class extends Connector {
    override check(info: { readonly role?: string }): boolean {
      return info.role === undefined || info.role === 'master'
    }

    override async connect(): Promise<Socket> {
      this.connecting = true
      const found = await findMaster({ ...question, nodes: order })
      if (found !== undefined)
        order = [found.sentinel, ...question.nodes.filter((each) => each !== found.sentinel)]
      if (!this.connecting) throw new Error('Connection is closed.')
      return this.take(found === undefined ? unreachable() : question.connectTo(found.master))
    }
  }
}

async function findMaster(
  question: SentinelQuestion,
): Promise<{ readonly sentinel: RedisNode; readonly master: RedisNode } | undefined> {
  for (const sentinel of question.nodes) {
    const master = await askSentinel(sentinel, question)
    if (master !== undefined) return { sentinel, master }
  }
  return undefined
}

async function askSentinel(sentinel: RedisNode, question: SentinelQuestion): Promise<RedisNode | undefined> {
  const redis = new Redis({
    ...question.options,
    Connector: directConnector(sentinel, question.connectTo),
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: null,
  })
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    const answer: unknown = await redis.call('SENTINEL', 'get-master-addr-by-name', question.master)
    return nodeOf(answer)
  } catch {
    return undefined
  } finally {
    redis.disconnect()
  }
}

function nodeOf(answer: unknown): RedisNode | undefined {
  const [host, port] = Array.isArray(answer) ? (answer as readonly unknown[]) : []
  if (typeof host !== 'string' || !/^\d{1,5}$/.test(String(port))) return undefined
  return { host, port: Number(port) }
}

/** Fails as a connection does, so that it is tried again. */
function unreachable(): Socket {
  return new Socket().destroy(Object.assign(new Error('no Sentinel names a master'), { code: 'NO_MASTER' }))
}
