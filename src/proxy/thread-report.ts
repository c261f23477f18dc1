import type { Clock } from '../clock.ts'
import type { NotedDecision } from '../observability/recent-decisions.ts'
import type { NotedError } from '../observability/recent-errors.ts'
import type { RecentRequests } from '../observability/recent-requests.ts'
import type { RequestMetrics } from '../observability/request-metrics.ts'
import type { DecisionCounts, TotalsReading } from '../observability/request-totals.ts'
import type { UpstreamId } from '../table/routing-table.ts'
import type { UpstreamPools } from './upstream-pools.ts'

/** What of a thread is asked for beside its totals: what somebody looks at, and not all that there is. */
export interface ReportQuestion {
  /** Keys of series, as `seriesKey` makes them. */
  readonly series?: readonly string[]
  readonly upstreams?: readonly UpstreamId[]
  /** Id of a route whose last errors are asked for. */
  readonly errorsOf?: string
  /** Of every plugin. */
  readonly decisionCounts?: boolean
  /** `namespace/name` of a plugin whose last decisions are asked for. */
  readonly decisionsOf?: string
}

/** An endpoint that has failed. */
export interface FailedEndpoint {
  readonly upstream: UpstreamId
  /** `address:port`; IPv6 in brackets. */
  readonly address: string
  /** One after another; 0: it has answered since. */
  readonly failures: number
  /** 0: it does not rest. */
  readonly restsForMs: number
  readonly lastFailure: { readonly atMs: number; readonly reason: string }
}

/** What was noted, with a time that other threads understand: milliseconds since the epoch. */
export type Dated<Noted> = Readonly<Omit<Noted, 'notedAt'>> & { readonly atMs: number }

/** What a thread tells of itself; plain data. */
export interface ThreadReport {
  readonly totals: TotalsReading
  readonly requestsInFlight: number
  readonly openConnections: number
  /** Of those asked for that had requests. */
  readonly series: readonly {
    readonly key: string
    readonly requests: number
    readonly serverErrors: number
  }[]
  readonly endpoints: readonly FailedEndpoint[]
  /** Newest first. */
  readonly errors: readonly Dated<NotedError>[]
  /** By plugin; empty: of requests with several. */
  readonly decisionCounts: ReadonlyMap<string, Readonly<DecisionCounts>>
  /** Newest first. */
  readonly decisions: readonly Dated<NotedDecision>[]
}

/** Where a report is made from. */
export interface ReportSources {
  readonly metrics: RequestMetrics
  readonly recent: RecentRequests
  readonly pools: UpstreamPools
  readonly clock: Clock
}

export function reportOf(
  { series = [], upstreams = [], errorsOf, decisionCounts, decisionsOf }: ReportQuestion,
  { metrics, recent, pools, clock }: ReportSources,
): ThreadReport {
  const now = clock.monotonic()
  const epochMs = clock.now() - now
  return {
    totals: metrics.totals.read(),
    requestsInFlight: metrics.inFlight,
    openConnections: metrics.openConnections,
    series: series.flatMap((key) => {
      const counts = metrics.countsOf(key)
      return counts === undefined ? [] : [{ key, ...counts }]
    }),
    endpoints: upstreams.flatMap((id) => failedEndpoints(id, pools, now)),
    errors: errorsOf === undefined ? [] : recent.errors.of(errorsOf).map((each) => dated(each, epochMs)),
    decisionCounts: decisionCounts === true ? metrics.decisionCounts() : new Map(),
    decisions:
      decisionsOf === undefined ? [] : recent.decisions.of(decisionsOf).map((each) => dated(each, epochMs)),
  }
}

function failedEndpoints(upstream: UpstreamId, pools: UpstreamPools, now: number): FailedEndpoint[] {
  return pools.poolsOf(upstream).flatMap(({ address, failures, restingUntil, lastFailure }) => {
    if (lastFailure === undefined) return []
    return [{ upstream, address, failures, restsForMs: Math.max(0, restingUntil - now), lastFailure }]
  })
}

/** @param epochMs When the monotonic clock was at 0. */
function dated<Noted extends { readonly notedAt: number }>(
  { notedAt, ...noted }: Noted,
  epochMs: number,
): Dated<Noted> {
  return { ...noted, atMs: Math.round(epochMs + notedAt) }
}
