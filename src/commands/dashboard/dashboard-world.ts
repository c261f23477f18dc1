import type { Overview, TrafficHistory } from '../../admin/dashboard/dashboard-model.ts'
import type { DirectAuthorizationServerClient } from '../../auth/authorization-server/create-authorization-server-client.ts'
import type { Clock } from '../../clock.ts'
import type { Explanation } from '../../explain/explanation.ts'
import type { Question } from '../../explain/question.ts'
import type { ThreadPool } from '../../proxy/thread-pool.ts'
import type { Diagnostic } from '../../table/diagnostic.ts'
import type { CertificateFindings } from '../certificate-findings.ts'
import type { ServerFindings } from '../server-findings.ts'
import type { Compiled, ControlPlaneRecord } from './control-plane-record.ts'

/** What the dashboard looks at. Nothing of it is changed. */
export interface DashboardWorld {
  readonly version: string
  readonly startedAtMs: number
  readonly clock: Clock
  readonly controlPlane: ControlPlaneRecord
  readonly phase: () => Overview['phase']
  /** `undefined` when ready. */
  readonly notReady: () => string | undefined
  /** `undefined` without a cluster. */
  readonly isLeader: () => boolean | undefined
  readonly threads: Pick<ThreadPool, 'reports' | 'threads'>
  readonly serverFindings: Pick<ServerFindings, 'of' | 'lastDiscovery'>
  readonly certificates: Pick<CertificateFindings, 'diagnostics'>
  readonly authorizationServers: Pick<DirectAuthorizationServerClient, 'knownKeys'>
  readonly traffic: () => TrafficHistory
  /** Of what was compiled, with these diagnostics. */
  readonly explain: (
    question: Question,
    compiled: Compiled,
    diagnostics: readonly Diagnostic[],
  ) => Promise<Explanation>
}
