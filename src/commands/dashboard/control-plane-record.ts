import type { Overview } from '../../admin/dashboard/dashboard-model.ts'
import type { Resources } from '../../api/resources.ts'
import type { CompileResult } from '../../compiler/options.ts'
import type { Reconciliation } from '../../reconciler/reconciler.ts'
import { EMPTY_TABLE, type RoutingTable } from '../../table/routing-table.ts'

/** The last compile that succeeded, and the table that all threads run on since. */
export interface Compiled {
  readonly version: number
  readonly table: RoutingTable
  readonly result: CompileResult
  readonly resources: Resources
}

const NOTHING: Compiled = {
  version: 0,
  table: EMPTY_TABLE,
  result: {
    table: EMPTY_TABLE,
    secrets: {},
    statuses: [],
    diagnostics: [],
    ingresses: [],
    claims: new Map(),
    certificates: [],
  },
  resources: {
    ingresses: [],
    ingressClasses: [],
    services: [],
    endpointSlices: [],
    secrets: [],
    namespaces: [],
    oidcPlugins: [],
    consumers: [],
    broken: [],
  },
}

/** Keeps what the reconciler told last. */
export class ControlPlaneRecord {
  #compiled: Compiled = NOTHING
  #reloadedAtMs: number | undefined
  #last: Pick<Reconciliation, 'outcome' | 'durationMs'> | undefined

  /** @param atMs Milliseconds since the epoch. */
  reconciled(reconciliation: Reconciliation, atMs: number): void {
    const { durationMs, outcome } = reconciliation
    this.#last = { durationMs, outcome }
    if (reconciliation.outcome === 'failed') return
    const { resources, result, snapshot } = reconciliation
    this.#reloadedAtMs = atMs
    this.#compiled = { version: snapshot.version, table: snapshot.table, result, resources }
  }

  /** Before the first compile: of nothing. */
  get compiled(): Compiled {
    return this.#compiled
  }

  get configuration(): Overview['configuration'] {
    return {
      snapshotVersion: this.#compiled.version,
      ...(this.#reloadedAtMs !== undefined && { reloadedAtMs: this.#reloadedAtMs }),
      ...(this.#last && {
        lastOutcome: this.#last.outcome,
        lastDurationMs: Math.round(this.#last.durationMs),
      }),
    }
  }
}
