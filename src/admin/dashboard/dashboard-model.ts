import type { Explanation } from '../../explain/explanation.ts'
import type { RequestWords } from '../../explain/question.ts'
import type { Diagnostic } from '../../table/diagnostic.ts'

/**
 * What the dashboard asks of the process that it is part of. All answers are plain data that may be shown: no secret,
 * token, cookie, or value of a request. Of one process: other replicas have a dashboard of their own.
 */
export interface DashboardSource {
  overview(): Promise<Overview>
  /** Oldest first, one for each interval since the process started, and so many at most. */
  traffic(): TrafficHistory
  routes(query: PageQuery & { readonly state?: RouteState }): Promise<Page<RouteSummary>>
  /** @returns Nothing where no route has that id. */
  route(id: string): Promise<RouteDetails | undefined>
  plugins(): Promise<readonly PluginSummary[]>
  /** @param id `namespace/name` */
  plugin(id: string): Promise<PluginDetails | undefined>
  consumers(query: PageQuery): Promise<Page<ConsumerSummary>>
  certificates(): Promise<readonly CertificateSummary[]>
  diagnostics(query: PageQuery & { readonly severity?: Diagnostic['severity'] }): Promise<Page<Diagnostic>>
  /** @throws OstiaryError ERR_SETTINGS_INVALID where the request cannot be read. */
  explain(words: RequestWords): Promise<Explanation>
}

export interface PageQuery {
  /** Words that must all be in what is searched, whatever their case. Default: everything. */
  readonly search?: string
  /** Default 0. */
  readonly offset?: number
  /** Default 100, at most 500. */
  readonly limit?: number
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** How many there are that the search finds. */
  readonly total: number
  readonly offset: number
}

export interface Overview {
  readonly version: string
  readonly startedAtMs: number
  readonly phase: 'starting' | 'ready' | 'stopping'
  /** Why `/readyz` fails; absent: it does not. */
  readonly notReady?: string
  /** Absent without a cluster. */
  readonly isLeader?: boolean
  readonly configuration: {
    readonly snapshotVersion: number
    /** Of the last compile that succeeded; absent before the first. */
    readonly reloadedAtMs?: number
    readonly lastOutcome?: 'published' | 'unchanged' | 'failed'
    readonly lastDurationMs?: number
  }
  readonly threads: readonly {
    readonly name: string
    readonly snapshotVersion: number
    readonly isStuck: boolean
  }[]
  readonly routes: Readonly<Record<RouteState, number>>
  readonly virtualHosts: number
  readonly plugins: { readonly accepted: number; readonly refused: number }
  readonly consumers: number
  readonly diagnostics: Readonly<Record<Diagnostic['severity'], number>>
  /** The next one to end. */
  readonly nextCertificate?: CertificateSummary
}

export interface TrafficHistory {
  readonly intervalMs: number
  readonly samples: readonly TrafficSample[]
}

/** What happened within one interval, in all threads together. */
export interface TrafficSample {
  /** The interval's end. */
  readonly atMs: number
  readonly requestsPerSecond: number
  readonly clientErrorsPerSecond: number
  readonly serverErrorsPerSecond: number
  /** From histograms; absent where there was no request. */
  readonly p50Ms?: number
  readonly p99Ms?: number
  readonly decisionsPerSecond: Readonly<Record<DecisionResult, number>>
  readonly requestsInFlight: number
  readonly openConnections: number
}

export type DecisionResult = 'allow' | 'redirect' | 'respond' | 'refuse' | 'unavailable'

export type RouteState = 'open' | 'guarded' | 'closed'

export interface RouteSummary {
  readonly id: string
  /** Empty: hosts that no Ingress names. */
  readonly host: string
  readonly path: string
  readonly pathType: 'Exact' | 'Prefix'
  readonly ingress: { readonly namespace: string; readonly name: string }
  /** `name:port` as a person reads it; empty where it is closed without one. */
  readonly upstream: string
  readonly plugins: readonly string[]
  readonly state: RouteState
  /** Why it is closed. */
  readonly closed?: { readonly reason: string; readonly message: string }
  readonly endpoints: { readonly total: number; readonly resting: number }
  /** Since the process started, of the Ingress's backend that the route belongs to. */
  readonly requests: number
  readonly serverErrors: number
}

export interface RouteDetails extends RouteSummary {
  readonly endpointList: readonly EndpointState[]
  /** What the traffic policy and access rules say, as `name`, `value` for people. */
  readonly policy: readonly { readonly name: string; readonly value: string }[]
  /** Newest first. */
  readonly lastErrors: readonly RecentError[]
  /** Of its Ingress, Service and plugins. */
  readonly diagnostics: readonly Diagnostic[]
}

export interface EndpointState {
  /** `address:port` */
  readonly address: string
  /** By any thread. */
  readonly isResting: boolean
  readonly restsUntilMs?: number
  readonly failures: number
  readonly lastError?: { readonly atMs: number; readonly reason: string }
}

/** A request that was answered with 5xx. */
export interface RecentError {
  readonly atMs: number
  readonly status: number
  readonly reason: string
  /** `address:port`; absent: none was asked. */
  readonly endpoint?: string
}

export interface PluginSummary {
  /** `namespace/name` */
  readonly id: string
  readonly issuer: string
  readonly flows: readonly string[]
  readonly isAccepted: boolean
  readonly conditions: readonly ShownCondition[]
  /** Guarded by it. */
  readonly routes: number
  readonly decisions: Readonly<Record<DecisionResult, number>>
}

export interface ShownCondition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

export interface PluginDetails extends PluginSummary {
  /** Of its authorization server. */
  readonly discovery: {
    readonly state: 'never' | 'ok' | 'failing'
    readonly atMs?: number
    /** Says no secret and no internal address. */
    readonly problem?: string
  }
  /** Public keys that tokens are verified with. */
  readonly keys: readonly { readonly id: string; readonly algorithm: string; readonly use: string }[]
  readonly keysAgeSeconds?: number
  /** Newest first; of all threads, so many at most. */
  readonly recentDecisions: readonly RecentDecision[]
  readonly routeIds: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
}

export interface RecentDecision {
  readonly atMs: number
  /** Of the route; empty for reserved paths. */
  readonly route: string
  readonly flow: string
  readonly result: DecisionResult
  readonly reason: string
  /** Of the answer; absent where the request went on. */
  readonly status?: number
  /** A Consumer's name; callers that are none are not named here. */
  readonly consumer?: string
}

export interface ConsumerSummary {
  /** `namespace/name` of the object. */
  readonly id: string
  readonly username?: string
  readonly customId?: string
  readonly groups: readonly string[]
  readonly conditions: readonly ShownCondition[]
}

export interface CertificateSummary {
  /** `namespace/name` of the Secret. */
  readonly id: string
  readonly serverNames: readonly string[]
  readonly subject: string
  readonly issuer: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}
