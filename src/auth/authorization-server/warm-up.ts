import type { AuthorizationServer } from '../../table/policy.ts'
import type { AuthorizationServerClient } from './authorization-server-client.ts'

const CONCURRENCY = 4

/**
 * Fetches metadata and keys of authorization servers in the background, so that the first request need not wait. Each is
 * asked once while snapshots name it: a busy cluster compiles every second, and one that is down must not be asked as
 * often. Failures mean nothing here and show again when a request asks.
 */
export class WarmUp {
  readonly #client: AuthorizationServerClient
  readonly #queue: AuthorizationServer[] = []
  #named: ReadonlySet<string> = new Set()
  #workers = 0

  constructor(client: AuthorizationServerClient) {
    this.#client = client
  }

  /** Returns at once. @param servers All of a snapshot. */
  update(servers: Iterable<AuthorizationServer>): void {
    const byId = new Map([...servers].map((server) => [server.id, server]))
    for (const [id, server] of byId) if (!this.#named.has(id)) this.#queue.push(server)
    this.#named = new Set(byId.keys())
    while (this.#workers < CONCURRENCY && this.#queue.length > 0) void this.#work()
  }

  async #work(): Promise<void> {
    this.#workers += 1
    for (let server = this.#queue.shift(); server !== undefined; server = this.#queue.shift()) {
      await this.#client.metadata(server)
      await this.#client.keys(server)
    }
    this.#workers -= 1
  }
}
