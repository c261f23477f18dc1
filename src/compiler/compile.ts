import type { Ingress } from '../api/ingress.ts'
import type { Resources } from '../api/resources.ts'
import type { ObjectStatus } from '../table/diagnostic.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import type { SecretTable } from '../table/secret-table.ts'
import { operatorsDefaultBackend, withoutCatchAll } from './catch-all.ts'
import { reportMissingClass, selectIngresses } from './class.ts'
import { AnnotationIndex } from './annotation-index.ts'
import { ClientCertificates } from './client-certificates.ts'
import { CompileMemo } from './compile-memo.ts'
import { compileConsumers } from './consumers.ts'
import { dashboardIngress, withoutDashboardHost } from './dashboard-host.ts'
import { Diagnostics } from './diagnostics.ts'
import type { SharingProblems } from './host-login.ts'
import { assignHosts } from './host-ownership.ts'
import { reportBroken, takeInventory, type Inventory } from './inventory.ts'
import type { CompileOptions, CompileResult } from './options.ts'
import { compareText } from './order.ts'
import { claimPlugins } from './plugin-claim.ts'
import { pluginStatus } from './plugin-status.ts'
import { compilePlugins, type CompiledPlugin } from './plugins.ts'
import { compileTls, type CompiledTls } from './tls.ts'
import { reportRewrittenGuards } from './rewritten-guard.ts'
import { compileVirtualHosts } from './virtual-host.ts'

export type { CompileOptions, CompileResult } from './options.ts'

/**
 * Compiles resources into a routing table. Pure and total: any input gives a table, and a bad object costs only its
 * own routes; the same objects in any order give the same result.
 */
export function compile(
  resources: Resources,
  options: CompileOptions,
  memo: CompileMemo = new CompileMemo(),
): CompileResult {
  const diagnostics = new Diagnostics()
  reportBroken(resources, diagnostics)
  const inventory = takeInventory(resources, memo, diagnostics)
  const consumers = memo.list('compiled consumers', inventory.consumers, diagnostics, (found) =>
    compileConsumers(inventory.consumers, found),
  )
  const compiledPlugins = compilePlugins(inventory, consumers.byNamespace, options, { memo, diagnostics })
  const plugins = memo.list('plugins', [...compiledPlugins.values()], diagnostics, () => compiledPlugins)
  const ingresses = memo.same('our ingresses', selectIngresses(inventory, options), diagnostics)
  const served = servedIngresses(ingresses, inventory, options, { memo, diagnostics })
  reportMissingClass(inventory, options, diagnostics)
  const owners = memo.list('owners', [served], diagnostics, () => assignHosts(served, options, memo))
  const hosts = compileVirtualHosts({
    ingresses: served,
    owners,
    plugins,
    inventory,
    options,
    diagnostics,
    memo,
  })
  memo.list('rewrites', hosts.virtualHosts, diagnostics, (found) =>
    reportRewrittenGuards(hosts.virtualHosts, found),
  )
  const tls = memo.list('tls', [served, owners, inventory.secrets], diagnostics, (found) =>
    compileTls(served, owners, inventory, options, { memo, diagnostics: found }),
  )
  const authorities = memo.list('client authorities', [served, inventory.secrets], diagnostics, (found) => {
    const annotations = new AnnotationIndex(found, memo)
    return new ClientCertificates(inventory.secrets, annotations, { diagnostics: found, memo }).inUse(served)
  })
  const record = <T extends { readonly id: string }>(name: string, items: readonly T[]): Record<string, T> =>
    memo.list(`table: ${name}`, items, diagnostics, () => byId(items))
  const table: RoutingTable = {
    virtualHosts: memo.same('virtual hosts', hosts.virtualHosts, diagnostics),
    upstreams: record('upstreams', hosts.upstreams),
    policies: record(
      'policies',
      [...plugins.values()].flatMap(({ policy }) => policy ?? []),
    ),
    consumers: consumers.byNamespace,
    certificates: record('certificates', tls.certificates),
    serverNames: tls.serverNames,
  }
  const references = memo.list('references', [ingresses], diagnostics, () =>
    ingresses.map(({ kind, metadata: { namespace, name } }) => ({ kind, namespace, name })),
  )
  const sorted = memo.list('diagnostics', diagnostics.values(), diagnostics, () => diagnostics.sorted())
  const { ingresses: all, ingressClasses, services, oidcPlugins, terminatingNamespaces } = inventory
  const claimants = [ingresses, all, ingressClasses, services, oidcPlugins, terminatingNamespaces]
  const claims = memo.list('claims', claimants, diagnostics, () =>
    claimPlugins(inventory, ingresses, options),
  )
  memo.sweep()
  return {
    table,
    secrets: secretTable(plugins, [...tls.secrets, ...hosts.secrets]),
    statuses: [...consumers.statuses, ...pluginStatuses(plugins, hosts.sharing)].sort(byStatusName),
    diagnostics: sorted,
    ingresses: references,
    claims,
    certificates: [...tls.served, ...authorities],
  }
}

/** Of our Ingresses what is served, before them the dashboard, and behind them the operator's default backend. */
function servedIngresses(
  ingresses: readonly Ingress[],
  { services }: Inventory,
  options: CompileOptions,
  { memo, diagnostics }: { readonly memo: CompileMemo; readonly diagnostics: Diagnostics },
): readonly Ingress[] {
  const taken = memo.list('without catch-all', [ingresses], diagnostics, (found) =>
    withoutCatchAll(ingresses, options, found),
  )
  const others = memo.list('without dashboard host', [taken], diagnostics, (found) =>
    withoutDashboardHost(taken, options, found),
  )
  const service = services.get(options.defaultBackendService ?? '')
  return memo.list('served ingresses', [others, service], diagnostics, () => {
    const before = dashboardIngress(others, options)
    const behind = operatorsDefaultBackend(others, service, options)
    return before.length + behind.length === 0 ? others : [...before, ...others, ...behind]
  })
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
