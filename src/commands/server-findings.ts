import type { OutboundCall } from '../auth/authorization-server/outbound-fetch.ts'
import type { RuntimeFinding } from '../status/conditions.ts'
import type { RoutingTable } from '../table/routing-table.ts'

const FINDINGS = {
  discovery: { reason: 'DiscoveryFailed', what: 'metadata' },
  jwks: { reason: 'KeysUnavailable', what: 'keys' },
} as const

type Watched = keyof typeof FINDINGS

/** When metadata were asked for last, and whether they came. */
export interface LastDiscovery {
  readonly atMs: number
  readonly isOk: boolean
}

/** Whether metadata and keys of authorization servers could be fetched when they were asked for last. */
export class ServerFindings {
  readonly #failed = new Map<string, Set<Watched>>()
  readonly #discoveries = new Map<string, LastDiscovery>()

  /** @param atMs Milliseconds since the epoch. */
  called({ serverId, endpoint, outcome }: OutboundCall, atMs: number): void {
    if (endpoint !== 'discovery' && endpoint !== 'jwks') return
    if (endpoint === 'discovery') this.#discoveries.set(serverId, { atMs, isOk: outcome === 'ok' })
    const failed = this.#failed.get(serverId) ?? new Set()
    if (outcome === 'ok') failed.delete(endpoint)
    else failed.add(endpoint)
    if (failed.size === 0) this.#failed.delete(serverId)
    else this.#failed.set(serverId, failed)
  }

  /** Nothing where nobody has asked yet. */
  lastDiscovery(serverId: string): LastDiscovery | undefined {
    return this.#discoveries.get(serverId)
  }

  /** By the id of the policy, which is the `namespace/name` of its plugin. Forgets servers that no policy has. */
  of(table: RoutingTable): ReadonlyMap<string, RuntimeFinding> {
    const policies = Object.values(table.policies)
    const servers = new Set(policies.map(({ server }) => server.id))
    for (const known of [this.#failed, this.#discoveries]) {
      for (const id of known.keys()) if (!servers.has(id)) known.delete(id)
    }
    return new Map(
      policies.flatMap(({ id, server }) => {
        const [endpoint] = [...(this.#failed.get(server.id) ?? [])].sort()
        return endpoint === undefined ? [] : [[id, findingOf(id, FINDINGS[endpoint])] as const]
      }),
    )
  }
}

function findingOf(id: string, { reason, what }: (typeof FINDINGS)[Watched]): RuntimeFinding {
  const message = `The ${what} of the issuer could not be fetched. Ask why with: ostiary doctor ${id}`
  return { reason, message }
}
