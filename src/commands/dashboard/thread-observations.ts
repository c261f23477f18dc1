import type {
  DecisionResult,
  EndpointState,
  RecentDecision,
  RecentError,
} from '../../admin/dashboard/dashboard-model.ts'
import { NO_DECISIONS } from '../../observability/request-totals.ts'
import type { FailedEndpoint, ThreadReport } from '../../proxy/thread-report.ts'
import type { Endpoint, Upstream } from '../../table/routing-table.ts'

type Reports = readonly ThreadReport[]

/** Requests and server errors of a series, in all threads together. */
export function countsOf(
  reports: Reports,
  key: string,
): { readonly requests: number; readonly serverErrors: number } {
  const told = reports.flatMap(({ series }) => series.filter((each) => each.key === key))
  return {
    requests: told.reduce((sum, { requests }) => sum + requests, 0),
    serverErrors: told.reduce((sum, { serverErrors }) => sum + serverErrors, 0),
  }
}

/** How the endpoints of an upstream are: the worst that any thread says. */
export function endpointStates(
  reports: Reports,
  { id, endpoints }: Upstream,
  nowMs: number,
): readonly EndpointState[] {
  const failed = reports.flatMap((report) => report.endpoints.filter(({ upstream }) => upstream === id))
  return endpoints.map((endpoint) => {
    const address = addressOf(endpoint)
    return endpointState(
      address,
      failed.filter((each) => each.address === address),
      nowMs,
    )
  })
}

function endpointState(address: string, failed: readonly FailedEndpoint[], nowMs: number): EndpointState {
  const restsForMs = Math.max(0, ...failed.map((each) => each.restsForMs))
  const [lastError] = failed.map(({ lastFailure }) => lastFailure).sort(newestFirst)
  return {
    address,
    isResting: restsForMs > 0,
    ...(restsForMs > 0 && { restsUntilMs: Math.round(nowMs + restsForMs) }),
    failures: Math.max(0, ...failed.map(({ failures }) => failures)),
    ...(lastError && { lastError }),
  }
}

/** As origins have it. */
function addressOf({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Newest first. */
export function recentErrors(reports: Reports): readonly RecentError[] {
  return reports
    .flatMap(({ errors }) => errors)
    .sort(newestFirst)
    .map(({ endpoint, ...error }) => ({ ...error, ...(endpoint !== '' && { endpoint }) }))
}

/** Newest first. */
export function recentDecisions(reports: Reports): readonly RecentDecision[] {
  return reports
    .flatMap(({ decisions }) => decisions)
    .sort(newestFirst)
    .map(({ consumer, status, ...decision }) => ({
      ...decision,
      ...(status !== 0 && { status }),
      ...(consumer !== '' && { consumer }),
    }))
}

export function decisionCountsOf(reports: Reports, plugin: string): Readonly<Record<DecisionResult, number>> {
  const counts = { ...NO_DECISIONS }
  for (const { decisionCounts } of reports) {
    const told = decisionCounts.get(plugin) ?? NO_DECISIONS
    counts.allow += told.allow
    counts.redirect += told.redirect
    counts.respond += told.respond
    counts.refuse += told.refuse
    counts.unavailable += told.unavailable
  }
  return counts
}

function newestFirst(one: { readonly atMs: number }, other: { readonly atMs: number }): number {
  return other.atMs - one.atMs
}
