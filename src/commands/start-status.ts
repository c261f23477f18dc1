import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { createClusterMetrics } from '../observability/cluster-metrics.ts'
import type { Reconciliation } from '../reconciler/reconciler.ts'
import { electionIdOf } from '../settings/election-id.ts'
import type { Settings } from '../settings/settings.ts'
import { StatusReporter } from '../status/status-reporter.ts'
import { EMPTY_TABLE, type RoutingTable } from '../table/routing-table.ts'
import type { CertificateFindings } from './certificate-findings.ts'
import type { OpenedSource } from './open-source.ts'
import type { ServerFindings } from './server-findings.ts'

/** Status and Events, of a cluster only; with files there is nobody to tell. */
export interface RunningStatus {
  reconciled(reconciliation: Reconciliation): void
  /** Absent where there is no cluster. */
  isLeader?(): boolean
  /** Resolves when, after the signal, another instance may lead. */
  readonly stopped: Promise<void>
}

export interface StatusParts {
  readonly settings: Settings
  readonly log: Logger
  readonly opened: Pick<OpenedSource, 'cluster'>
  readonly serverFindings: Pick<ServerFindings, 'of'>
  readonly certificates: Pick<CertificateFindings, 'diagnostics'>
  readonly registry: Registry
}

/** Begins to compete for the lead; ends with the signal. */
export function startStatus(
  { settings, log, opened: { cluster }, serverFindings, certificates, registry }: StatusParts,
  signal: AbortSignal,
): RunningStatus {
  if (cluster === undefined) return { reconciled: () => {}, stopped: Promise.resolve() }
  let table: RoutingTable = EMPTY_TABLE
  const { namespace, leaderElect, publishService, publishStatusAddress } = settings
  const reporter: StatusReporter = new StatusReporter({
    ...cluster,
    metrics: createClusterMetrics(registry, {
      isLeader: () => reporter.isLeader(),
      reflections: () => cluster.observed.reflections(),
    }),
    logger: log,
    namespace,
    electionId: electionIdOf(settings),
    leaderElect,
    publishStatusAddress,
    ...(publishService !== undefined && { publishService }),
    ...(settings.publishNodeAddresses && { publishNodesOf: settings.podName ?? hostname() }),
    installation: installationOf(settings),
    controller: settings.controllerClass,
    clearOnShutdown: settings.updateStatusOnShutdown,
    // The pod's name, and something that a restarted container does not repeat.
    identity: `${hostname()}_${randomBytes(8).toString('hex')}`,
    findings: () => serverFindings.of(table),
    runtimeDiagnostics: () => certificates.diagnostics(),
  })
  return {
    isLeader: () => reporter.isLeader(),
    reconciled(reconciliation) {
      if (reconciliation.outcome === 'failed') return
      table = reconciliation.snapshot.table
      reporter.reconciled({ ...reconciliation.result, table })
    },
    // A slip in here must not take the proxy down.
    stopped: reporter.run(signal).catch((error: unknown) => {
      log.error({ error: error instanceof Error ? error.name : typeof error }, 'writing status has ended')
    }),
  }
}

/** All that decides which objects are ours. */
function installationOf(settings: Settings): string {
  const { controllerClass, withoutClusterRights, ingressClass, watchNamespace } = settings
  const what = withoutClusterRights ? `class ${ingressClass}` : `controller ${controllerClass}`
  const where = watchNamespace.length === 0 ? 'all namespaces' : [...watchNamespace].sort().join(', ')
  return `${what} in ${where}`
}
