import type { ThreadPool } from '../proxy/thread-pool.ts'
import type { Reconciler } from '../reconciler/reconciler.ts'
import type { Source } from '../source/source.ts'
import type { CertificateFindings } from './certificate-findings.ts'
import type { RunningStatus } from './start-status.ts'

/** What the probes and the dashboard look at; parts are added as they come to be. */
export interface RunState {
  phase: 'starting' | 'ready' | 'stopping'
  threads?: Pick<ThreadPool, 'stuck' | 'metrics' | 'threads'>
  source?: Pick<Source, 'problems' | 'stuck'>
  reconciler?: Pick<Reconciler, 'busyMs'>
  status?: Pick<RunningStatus, 'isLeader'>
  certificates?: Pick<CertificateFindings, 'diagnostics'>
}

/**
 * Compiling ten thousand Ingresses takes a few seconds, and a publish what the slowest thread needs: two minutes for one
 * that starts on a starved machine, which is no time to restart all replicas.
 */
const STUCK_PASS_MS = 180_000

/** Why the startup probe fails. A source that is not complete yet is a matter of readiness. */
export function notStarted({ threads }: RunState): string | undefined {
  return threads === undefined ? 'the listeners are not open yet' : undefined
}

/** Once a snapshot is live, a source that fails again is no reason to leave the rotation: the last good one serves. */
export function notReady({ phase, source }: RunState): string | undefined {
  if (phase === 'ready') return undefined
  if (phase === 'stopping') return 'stopping'
  const problems = source?.problems().map(({ subject, message }) => `${subject}: ${message}`) ?? []
  return ['no snapshot is live yet', ...problems].join('\n')
}

/** What is stuck, a line each. */
export function notLive({ threads, source, reconciler }: RunState): string | undefined {
  const passMs = reconciler?.busyMs() ?? 0
  const pass =
    passMs < STUCK_PASS_MS ? [] : [`the reconciler's pass goes on for ${Math.round(passMs / 1000)} s`]
  const stuck = [...(threads?.stuck() ?? []), ...(source?.stuck() ?? []), ...pass]
  return stuck.length === 0 ? undefined : stuck.join('\n')
}
