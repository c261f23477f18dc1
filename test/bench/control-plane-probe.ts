import { setTimeout as pause } from 'node:timers/promises'
import { RawClient } from '../support/raw-http.ts'

/** An answer of the proxy, as far as the bench looks at it. */
export interface ProbeAnswer {
  readonly status: number
  readonly body: string
}

/** With so many connections it is all but certain that each of two threads has some of them. */
const CONNECTIONS = 8
const POLL_MS = 2
const GIVE_UP_MS = 60_000

/** Connections to the proxy that stay open, spread over its threads by the system. */
export class Probe {
  readonly #clients: readonly RawClient[]

  private constructor(clients: readonly RawClient[]) {
    this.#clients = clients
  }

  static async open(port: number): Promise<Probe> {
    return new Probe(await Promise.all(Array.from({ length: CONNECTIONS }, () => RawClient.open(port))))
  }

  /** Resolves when the answer on every connection is as expected. */
  async live(host: string, path: string, isExpected: (answer: ProbeAnswer) => boolean): Promise<void> {
    const deadline = performance.now() + GIVE_UP_MS
    const poll = async (client: RawClient): Promise<void> => {
      for (;;) {
        const answer = await ask(client, host, path)
        if (isExpected(answer)) return
        if (performance.now() > deadline)
          throw new Error(`${host}${path} still answers ${JSON.stringify(answer)}`)
        await pause(POLL_MS)
      }
    }
    await Promise.all(this.#clients.map(poll))
  }

  /** Sends a request on each connection every few milliseconds. @returns How long each took, in milliseconds. */
  async latencies(host: string, until: Promise<unknown>): Promise<number[]> {
    const taken: number[] = []
    const state = { isOver: false }
    const over = until.finally(() => (state.isOver = true))
    const run = async (client: RawClient): Promise<void> => {
      while (!state.isOver) {
        const startedMs = performance.now()
        const { status } = await ask(client, host, '/')
        taken.push(performance.now() - startedMs)
        if (status !== 200) throw new Error(`an unchanged route answered ${status}`)
        await pause(POLL_MS)
      }
    }
    await Promise.all([over, ...this.#clients.map(run)])
    return taken
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }
}

async function ask(client: RawClient, host: string, path: string): Promise<ProbeAnswer> {
  client.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  return client.response()
}
