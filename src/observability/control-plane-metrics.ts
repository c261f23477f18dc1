import { collectDefaultMetrics, Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { hostRoutes } from '../table/host-routes.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import {
  createAuthorizationServerMetrics,
  type AuthorizationServerCall,
} from './authorization-server-metrics.ts'
import { createCertificateMetrics } from './certificate-metrics.ts'

/** The metrics of the main thread: configuration, objects and calls to authorization servers. */
export interface ControlPlaneMetrics {
  /** A compile was published, or failed and the last good snapshot stays. */
  reloaded(outcome: 'published' | 'unchanged' | 'failed', durationSeconds: number, nowSeconds: number): void
  /** A compile gave something, published or not, and took so long alone. */
  compiled(
    durationSeconds: number,
    objects: readonly { readonly kind: string; readonly state: string; readonly count: number }[],
  ): void
  published(version: number, table: RoutingTable): void
  /** Lines of the logs that nobody took in time. */
  linesDropped(count: number): void
  /** A proxy thread ended without being asked; its connections are lost. */
  threadFailed(): void
  /** How many diagnostics of each severity the last compile gave. */
  diagnosed(counts: Readonly<Record<'error' | 'warning' | 'info', number>>): void
  calledAuthorizationServer(call: AuthorizationServerCall): void
}

const RELOAD_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/** What is asked when the metrics are read. */
export interface ControlPlaneObserved {
  /** Seconds since the keys of each issuer were fetched; told of those that a published policy has. */
  readonly keyAges: () => ReadonlyMap<string, number>
  /** The proxy threads, by numbers that do not grow, and the version of the snapshot that each runs on. */
  readonly threads: () => readonly { readonly place: number; readonly snapshotVersion: number }[]
}

const NOTHING_OBSERVED: ControlPlaneObserved = { keyAges: () => new Map(), threads: () => [] }

/** Labels come from objects, never from a request: `issuer` is what an OIDCPlugin says. */
export function createControlPlaneMetrics(
  registry: Registry,
  version: string,
  observed: Partial<ControlPlaneObserved> = {},
): ControlPlaneMetrics {
  const { keyAges, threads } = { ...NOTHING_OBSERVED, ...observed }
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const labelNames = ['version', 'node_version']
  const buildInfo = new Gauge({ name: 'ostiary_build_info', help: 'Always 1', labelNames, registers })
  buildInfo.set({ version, node_version: process.versions.node }, 1)
  const reloads = new Counter({
    name: 'ostiary_config_reloads_total',
    help: 'Compiles: published, unchanged, failed',
    labelNames: ['outcome'],
    registers,
  })
  // From the start: `increase` does not see a first failure that brings its series along.
  for (const outcome of ['published', 'unchanged', 'failed']) reloads.inc({ outcome }, 0)
  const lastSuccess = new Gauge({
    name: 'ostiary_config_last_reload_success_timestamp_seconds',
    help: 'When the last compile succeeded',
    registers,
  })
  const reloadSeconds = new Histogram({
    name: 'ostiary_config_reload_duration_seconds',
    help: 'Time from the start of a compile until all threads run it',
    buckets: RELOAD_BUCKETS,
    registers,
  })
  const compileSeconds = new Histogram({
    name: 'ostiary_config_compile_duration_seconds',
    help: 'Time that a compile took, without its publish',
    buckets: RELOAD_BUCKETS,
    registers,
  })
  const snapshotVersion = new Gauge({
    name: 'ostiary_snapshot_version',
    help: 'Number of the snapshot that serves, since the start of the process',
    registers,
  })
  const threadVersion = new Gauge({
    name: 'ostiary_proxy_thread_snapshot_version',
    help: 'Snapshot that a proxy thread runs on; one that takes the place of another has its number',
    labelNames: ['thread'],
    registers,
    collect() {
      threadVersion.reset()
      for (const { place, snapshotVersion: runsOn } of threads()) threadVersion.set({ thread: place }, runsOn)
    },
  })
  const objects = new Gauge({
    name: 'ostiary_configuration_objects',
    help: 'Our Ingresses, OIDCPlugins and Consumers in the last compile: accepted, refused (of an Ingress, any error)',
    labelNames: ['kind', 'state'],
    registers,
  })
  const threadFailures = new Counter({
    name: 'ostiary_proxy_thread_failures_total',
    help: 'Proxy threads that ended by themselves and were replaced; their connections were lost',
    registers,
  })
  const linesDropped = new Counter({
    name: 'ostiary_log_lines_dropped_total',
    help: 'Lines of the logs that were dropped because standard output was read too slowly',
    registers,
  })
  const routes = new Gauge({
    name: 'ostiary_routes',
    help: 'Routes: open, guarded, closed',
    labelNames: ['action'],
    registers,
  })
  const diagnostics = new Gauge({
    name: 'ostiary_diagnostics',
    help: 'Mistakes in objects, of the last compile: error, warning, info',
    labelNames: ['severity'],
    registers,
  })
  const authorizationServers = createAuthorizationServerMetrics(registry, keyAges)
  const certificatesServed = createCertificateMetrics(registry)

  return {
    reloaded(outcome, durationSeconds, nowSeconds) {
      reloads.inc({ outcome })
      reloadSeconds.observe(durationSeconds)
      if (outcome !== 'failed') lastSuccess.set(nowSeconds)
    },
    compiled(durationSeconds, counts) {
      compileSeconds.observe(durationSeconds)
      for (const { kind, state, count } of counts) objects.set({ kind, state }, count)
    },
    threadFailed: () => threadFailures.inc(),
    linesDropped: (count) => linesDropped.inc(count),
    published(versionNumber, table) {
      snapshotVersion.set(versionNumber)
      authorizationServers.retain(new Set(Object.values(table.policies).map(({ server }) => server.issuer)))
      const counts = countActions(table)
      for (const action of ['open', 'guarded', 'closed'] as const) routes.set({ action }, counts[action])
      certificatesServed(table.certificates)
    },
    diagnosed(counts) {
      for (const severity of ['error', 'warning', 'info'] as const)
        diagnostics.set({ severity }, counts[severity])
    },
    calledAuthorizationServer: (call) => authorizationServers.called(call),
  }
}

function countActions(table: RoutingTable): Record<'open' | 'guarded' | 'closed', number> {
  const counts = { open: 0, guarded: 0, closed: 0 }
  for (const host of table.virtualHosts) {
    for (const { action } of hostRoutes(host)) {
      if (action.kind === 'closed') counts.closed += 1
      else counts[action.policies.length > 0 ? 'guarded' : 'open'] += 1
    }
  }
  return counts
}
