import { Client, type Dispatcher } from 'undici'

export interface LoadOptions {
  /** Where the next request of a connection goes; asked before each new connection. */
  readonly origin: () => string
  readonly host: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Clients that keep their connection for as long as the server does; default 4. */
  readonly keepAlive?: number
  /** Clients that open a connection for each request; default 2. */
  readonly fresh?: number
  /** Half of the requests are a POST, which nobody may send twice; default true. */
  readonly posts?: boolean
  readonly connect?: Client.Options['connect']
}

export interface LoadResult {
  readonly requests: number
  /** What went wrong, in words; at best empty. */
  readonly failures: readonly string[]
  /** How many answers came with each body. */
  readonly bodies: ReadonlyMap<string, number>
}

export interface Load {
  readonly requests: number
  /** Resolves when every client's request that is under way now has ended. */
  turn(): Promise<void>
  /** Lets requests under way end. */
  stop(): Promise<LoadResult>
}

const GAP_MS = 4

/**
 * Sends requests, one after another per client with a short pause, until it is stopped. Nothing is ever sent twice:
 * whatever is not answered by 200 is a failure.
 */
export function startLoad(options: LoadOptions): Load {
  const { keepAlive = 4, fresh = 2 } = options
  const failures: string[] = []
  const bodies = new Map<string, number>()
  let requests = 0
  const stopping = new AbortController()
  const turns: number[] = []

  async function once(client: Client, isFresh: boolean): Promise<void> {
    const isPost = options.posts !== false && requests % 2 === 1
    requests += 1
    const startedMs = performance.now()
    try {
      const response = await client.request({
        path: options.path ?? '/',
        method: isPost ? 'POST' : 'GET',
        headers: { ...options.headers, host: options.host },
        ...(isPost && { body: 'a=b' }),
        ...(isFresh && { reset: true }),
      })
      await count(response)
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      const after = Math.round(performance.now() - startedMs)
      failures.push(
        `${isPost ? 'POST' : 'GET'} ${isFresh ? 'fresh' : 'kept'} ${code} ${message} after ${after} ms`,
      )
    }
  }

  async function count({ statusCode, body }: Dispatcher.ResponseData): Promise<void> {
    const text = await body.text()
    if (statusCode !== 200) failures.push(`${statusCode} ${text.slice(0, 200)}`)
    bodies.set(text, (bodies.get(text) ?? 0) + 1)
  }

  async function run(isFresh: boolean, index: number): Promise<void> {
    let origin = options.origin()
    const open = (): Client =>
      new Client(origin, {
        allowH2: false,
        pipelining: 1,
        ...(options.connect !== undefined && { connect: options.connect }),
      })
    let client = open()
    while (!stopping.signal.aborted) {
      await once(client, isFresh)
      turns[index] = (turns[index] ?? 0) + 1
      await new Promise((resolve) => setTimeout(resolve, GAP_MS))
      // Only a client without a connection looks where to go.
      if (client.stats.connected && !isFresh) continue
      await client.close()
      origin = options.origin()
      client = open()
    }
    await client.close()
  }

  const runs = [...Array(keepAlive).fill(false), ...Array(fresh).fill(true)].map((isFresh, index) =>
    run(isFresh as boolean, index),
  )
  return {
    get requests() {
      return requests
    },
    async turn() {
      const before = runs.map((_, index) => turns[index] ?? 0)
      while (before.some((count, index) => turns[index] === undefined || turns[index] === count)) {
        await new Promise((resolve) => setTimeout(resolve, GAP_MS))
      }
    },
    async stop() {
      stopping.abort()
      await Promise.all(runs)
      return { requests, failures, bodies }
    },
  }
}
