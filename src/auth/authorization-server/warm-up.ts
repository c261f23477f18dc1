import type { AuthorizationServer } from '../../table/policy.ts'
import type { AuthorizationServerClient } from './authorization-server-client.ts'

const CONCURRENCY = 4

/**
 * Fetches metadata and keys of a snapshot's servers in the background, so that the first request need not wait.
 * Returns at once; failures mean nothing here and show again when a request asks.
 */
export function warmUp(client: AuthorizationServerClient, servers: Iterable<AuthorizationServer>): void {
  const queue = [...new Map([...servers].map((server) => [server.id, server])).values()]
  const work = async () => {
    for (let server = queue.shift(); server; server = queue.shift()) {
      await client.metadata(server)
      await client.keys(server)
    }
  }
  for (let worker = 0; worker < CONCURRENCY; worker += 1) void work()
}
