import type { DashboardSource } from '../../../src/admin/dashboard/dashboard-model.ts'
import { systemClock } from '../../../src/clock.ts'
import { ControlPlaneRecord } from '../../../src/commands/dashboard/control-plane-record.ts'
import { createDashboardSource } from '../../../src/commands/dashboard/create-dashboard-source.ts'
import type { DashboardWorld } from '../../../src/commands/dashboard/dashboard-world.ts'
import { ServerFindings } from '../../../src/commands/server-findings.ts'
import type { CompileResult } from '../../../src/compiler/options.ts'
import { readManifests } from '../../compiler/manifests.ts'
import { startOstiary, type Ostiary } from '../../support/ostiary.ts'

/** The dashboard of a record that a test fills. */
export function sourceOf(
  controlPlane: ControlPlaneRecord,
  world: Partial<DashboardWorld> = {},
): DashboardSource {
  return createDashboardSource({
    version: '1.2.3',
    startedAtMs: 1000,
    clock: systemClock,
    controlPlane,
    phase: () => 'ready',
    notReady: () => undefined,
    isLeader: () => undefined,
    threads: { reports: () => Promise.resolve(new Map()), threads: () => [] },
    serverFindings: new ServerFindings(),
    certificates: { diagnostics: () => [] },
    authorizationServers: { knownKeys: () => undefined },
    traffic: () => ({ intervalMs: 5000, samples: [] }),
    explain: () => Promise.reject(new Error('nothing is explained in this test')),
    ...world,
  })
}

/** As the reconciler would have told it. */
export function recordOf(manifests: string, result: CompileResult): ControlPlaneRecord {
  const record = new ControlPlaneRecord()
  record.reconciled(
    {
      outcome: 'published',
      durationMs: 12,
      compileMs: 5,
      snapshot: { version: 7, table: result.table, secrets: {}, sessionKeys: [] },
      result,
      resources: readManifests(manifests),
    },
    2000,
  )
  return record
}

export interface Watched {
  readonly ostiary: Ostiary
  readonly source: DashboardSource
}

/** Ostiary on manifests, in one thread, and the dashboard that looks at it. */
export async function watchedOstiary(
  manifests: string,
  world: Partial<DashboardWorld> = {},
): Promise<Watched> {
  const ostiary = await startOstiary(manifests)
  const threads: DashboardWorld['threads'] = {
    reports: (question) => Promise.resolve(new Map([['proxy thread 1', ostiary.report(question)]])),
    threads: () => [{ name: 'proxy thread 1', place: 1, snapshotVersion: 7, isStuck: false }],
  }
  const source = sourceOf(recordOf(manifests, ostiary.result()), { threads, ...world })
  return { ostiary, source }
}
