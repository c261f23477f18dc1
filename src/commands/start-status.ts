import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import type { Reconciliation } from '../reconciler/reconciler.ts'
import { electionIdOf } from '../settings/election-id.ts'
import type { Settings } from '../settings/settings.ts'
import { StatusReporter } from '../status/status-reporter.ts'
import { EMPTY_TABLE, type RoutingTable } from '../table/routing-table.ts'
import type { OpenedSource } from './open-source.ts'
import type { ServerFindings } from './server-findings.ts'

/** Status and Events, of a cluster only; with files there is nobody to tell. */
export interface RunningStatus {
  reconciled(reconciliation: Reconciliation): void
  /** Resolves when, after the signal, another instance may lead. */
  readonly stopped: Promise<void>
}

/** Begins to compete for the lead; ends with the signal. */
export function startStatus(
  settings: Settings,
  logger: Logger,
  { cluster }: OpenedSource,
  serverFindings: ServerFindings,
  signal: AbortSignal,
): RunningStatus {
  if (cluster === undefined) return { reconciled: () => {}, stopped: Promise.resolve() }
  let table: RoutingTable = EMPTY_TABLE
  const { namespace, leaderElect, publishService, publishStatusAddress } = settings
  const reporter = new StatusReporter({
    ...cluster,
    logger,
    namespace,
    electionId: electionIdOf(settings),
    leaderElect,
    publishStatusAddress,
    ...(publishService !== undefined && { publishService }),
    ...(settings.publishNodeAddresses && { publishNodesOf: settings.podName ?? hostname() }),
    controller: settings.controllerClass,
    clearOnShutdown: settings.updateStatusOnShutdown,
    // The pod's name, and something that a restarted container does not repeat.
    identity: `${hostname()}_${randomBytes(8).toString('hex')}`,
    findings: () => serverFindings.of(table),
  })
  return {
    reconciled(reconciliation) {
      if (reconciliation.outcome === 'failed') return
      table = reconciliation.snapshot.table
      reporter.reconciled({ ...reconciliation.result, table })
    },
    // A slip in here must not take the proxy down.
    stopped: reporter.run(signal).catch((error: unknown) => {
      logger.error({ error: error instanceof Error ? error.name : typeof error }, 'writing status has ended')
    }),
  }
}
