import type { Resources } from '../api/resources.ts'
import type { ObjectStatus } from '../table/diagnostic.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import type { SecretTable } from '../table/secret-table.ts'
import { selectIngresses } from './class.ts'
import { compileConsumers } from './consumers.ts'
import { Diagnostics } from './diagnostics.ts'
import type { SharingProblems } from './host-login.ts'
import { assignHosts } from './host-ownership.ts'
import { reportBroken, takeInventory } from './inventory.ts'
import type { CompileOptions, CompileResult } from './options.ts'
import { compareText } from './order.ts'
import { claimPlugins } from './plugin-claim.ts'
import { pluginStatus } from './plugin-status.ts'
import { compilePlugins, type CompiledPlugin } from './plugins.ts'
import { compileTls, type CompiledTls } from './tls.ts'
import { compileVirtualHosts } from './virtual-host.ts'

export type { CompileOptions, CompileResult } from './options.ts'

/**
 * Compiles resources into a routing table. Pure and total: any input gives a table, and a bad object costs only its
 * own routes; the same objects in any order give the same result.
 */
export function compile(resources: Resources, options: CompileOptions): CompileResult {
  const diagnostics = new Diagnostics()
  reportBroken(resources, diagnostics)
  const inventory = takeInventory(resources, diagnostics)
  const consumers = compileConsumers(inventory.consumers, diagnostics)
  const plugins = compilePlugins(inventory, consumers.byNamespace, options, diagnostics)
  const ingresses = selectIngresses(inventory, options)
  const owners = assignHosts(ingresses, options)
  const hosts = compileVirtualHosts({ ingresses, owners, plugins, inventory, options, diagnostics })
  const tls = compileTls(ingresses, owners, inventory, options, diagnostics)
  const table: RoutingTable = {
    virtualHosts: hosts.virtualHosts,
    upstreams: byId(hosts.upstreams),
    policies: byId([...plugins.values()].flatMap(({ policy }) => policy ?? [])),
    consumers: consumers.byNamespace,
    certificates: byId(tls.certificates),
    serverNames: tls.serverNames,
  }
  return {
    table,
    secrets: secretTable(plugins, [...tls.secrets, ...hosts.secrets]),
    statuses: [...consumers.statuses, ...pluginStatuses(plugins, hosts.sharing)].sort(byStatusName),
    diagnostics: diagnostics.sorted(),
    ingresses: ingresses.map(({ kind, metadata: { namespace, name } }) => ({ kind, namespace, name })),
    claims: claimPlugins(inventory, ingresses, options),
    certificates: tls.served,
  }
}

function byId<T extends { readonly id: string }>(items: readonly T[]): Record<string, T> {
  const sorted = [...items].sort((a, b) => compareText(a.id, b.id))
  return Object.fromEntries(sorted.map((item) => [item.id, item]))
}

/** Only what the table refers to. */
function secretTable(
  plugins: ReadonlyMap<string, CompiledPlugin>,
  others: CompiledTls['secrets'],
): SecretTable {
  const accepted = [...plugins.values()].filter(({ policy }) => policy !== undefined)
  const entries = [...accepted.flatMap(({ secrets }) => secrets), ...others]
  return Object.fromEntries(entries.sort(([a], [b]) => compareText(a, b)))
}

function pluginStatuses(
  plugins: ReadonlyMap<string, CompiledPlugin>,
  sharing: SharingProblems,
): ObjectStatus[] {
  return [...plugins].map(([id, plugin]) => pluginStatus(plugin, sharing.get(id) ?? []))
}

function byStatusName(a: ObjectStatus, b: ObjectStatus): number {
  return compareText(a.kind, b.kind) || compareText(a.namespace, b.namespace) || compareText(a.name, b.name)
}
