import type { Route } from '../table/routing-table.ts'
import { LATENCY_BOUNDS, BucketHistogram, type MetricSample } from './bucket-histogram.ts'
import { NO_DECISIONS, RequestTotals, type DecisionCounts } from './request-totals.ts'

/** A metric family as prom-client's `AggregatorRegistry.aggregate` takes it; plain data that crosses threads. */
export interface MetricFamily {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** How threads are added up. */
  readonly aggregator: 'sum'
  readonly values: readonly MetricSample[]
}

/** How a request was decided: `flow` and `reason` are stable words, never taken from the request. */
export interface DecisionLabels {
  readonly plugin: string
  readonly flow: string
  /** `close`: of a connection that had been let in. */
  readonly result: keyof DecisionCounts | 'close'
  readonly reason: string
}

/** A connection of a listener, or what was made of one: a WebSocket counts as both. */
export type ConnectionKind = 'http' | 'https' | 'websocket'

/** Methods with a series of their own; every other one is counted as `other`, since clients make names up. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'other']
const METHOD_INDEX = new Map(METHODS.map((method, index) => [method, index]))
const OTHER = METHODS.length - 1

/** The series of one backend of one Ingress. Kept by the route's caller, so that a request costs no label hashing. */
export class RouteSeries {
  readonly labels: Readonly<Record<'namespace' | 'ingress' | 'service', string>>
  readonly duration = new BucketHistogram()
  readonly upstreamDuration = new BucketHistogram()
  readonly #requests = new Map<number, number>()
  readonly #retries = new Map<string, number>()
  readonly #totals: RequestTotals

  constructor(labels: RouteSeries['labels'], totals: RequestTotals) {
    this.labels = labels
    this.#totals = totals
  }

  /** @param status As sent to the client; 499 where it left before an answer. */
  finished(method: string, status: number, seconds: number): void {
    const key = status * METHODS.length + (METHOD_INDEX.get(method) ?? OTHER)
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1)
    this.#totals.finished(status, this.duration.observe(seconds))
  }

  /** Requests that ended, and those of them that were answered with 5xx. */
  counts(): { requests: number; serverErrors: number } {
    const firstServerError = 500 * METHODS.length
    let serverErrors = 0
    for (const [key, count] of this.#requests) if (key >= firstServerError) serverErrors += count
    return { requests: this.duration.count, serverErrors }
  }

  /** A request is sent to its upstream once more. @param reason one of a closed set */
  retried(reason: string): void {
    this.#retries.set(reason, (this.#retries.get(reason) ?? 0) + 1)
  }

  retryValues(): MetricSample[] {
    return [...this.#retries].map(([reason, value]) => ({ value, labels: { ...this.labels, reason } }))
  }

  requestValues(): MetricSample[] {
    return [...this.#requests].map(([key, value]) => ({
      value,
      labels: {
        ...this.labels,
        method: METHODS[key % METHODS.length] ?? 'other',
        code: Math.floor(key / METHODS.length),
      },
    }))
  }
}

/**
 * What one proxy thread counts about requests. Labels come from the routing table, from closed sets and from status
 * codes: no path, user or unknown host. Plain counters that become metric families only when somebody asks.
 */
export class RequestMetrics {
  readonly #series = new Map<string, RouteSeries>()
  /** By plugin: names that live as long as the table, so that a request costs no key. */
  readonly #decisions = new Map<string, { readonly labels: DecisionLabels; count: number }[]>()
  /** Likewise by plugin; there are few flows. */
  readonly #authDurations = new Map<string, { readonly flow: string; readonly duration: BucketHistogram }[]>()
  readonly #connections = { http: 0, https: 0, websocket: 0 }
  readonly #refused = { http: 0, https: 0 }
  /** Of all routes, those that are gone included. */
  readonly totals = new RequestTotals(LATENCY_BOUNDS.length + 1)
  /** Requests that are not answered whole yet. */
  inFlight = 0

  /** Without a route: requests that were refused before one was found. */
  seriesOf(route: Route | undefined): RouteSeries {
    const key = route === undefined ? '' : seriesKey(route)
    let series = this.#series.get(key)
    if (series === undefined) {
      const { namespace = '', name: ingress = '' } = route?.ingress ?? {}
      series = new RouteSeries({ namespace, ingress, service: route?.service ?? '' }, this.totals)
      this.#series.set(key, series)
    }
    return series
  }

  /** Drops the series of all other routes, and of all plugins without one of these policies. */
  retain(routes: Iterable<Route>, policies: Readonly<Record<string, unknown>>): void {
    const kept = new Set([''])
    for (const route of routes) kept.add(seriesKey(route))
    for (const key of this.#series.keys()) if (!kept.has(key)) this.#series.delete(key)
    for (const plugin of this.#decisions.keys()) {
      if (isOfGonePlugin(plugin, policies)) this.#decisions.delete(plugin)
    }
    for (const plugin of this.#authDurations.keys()) {
      if (isOfGonePlugin(plugin, policies)) this.#authDurations.delete(plugin)
    }
  }

  /** What was counted under a key of {@link seriesKey}; nothing where there was no request. */
  countsOf(key: string): { requests: number; serverErrors: number } | undefined {
    return this.#series.get(key)?.counts()
  }

  /** By plugin. */
  decisionCounts(): Map<string, DecisionCounts> {
    const counts = new Map<string, DecisionCounts>()
    for (const [plugin, counted] of this.#decisions) {
      const ofPlugin = { ...NO_DECISIONS }
      for (const { labels, count } of counted) if (labels.result !== 'close') ofPlugin[labels.result] += count
      counts.set(plugin, ofPlugin)
    }
    return counts
  }

  get openConnections(): number {
    return this.#connections.http + this.#connections.https
  }

  decided(labels: DecisionLabels): void {
    if (labels.result !== 'close') this.totals.decided(labels.result)
    let counts = this.#decisions.get(labels.plugin)
    if (counts === undefined) this.#decisions.set(labels.plugin, (counts = []))
    for (const each of counts) {
      if (isSame(each.labels, labels)) {
        each.count += 1
        return
      }
    }
    counts.push({ labels, count: 1 })
  }

  /** Authorization took so long for a request, asking others included. */
  authorized({ plugin, flow }: DecisionLabels, seconds: number): void {
    let durations = this.#authDurations.get(plugin)
    if (durations === undefined) this.#authDurations.set(plugin, (durations = []))
    for (const each of durations) {
      if (each.flow === flow) {
        each.duration.observe(seconds)
        return
      }
    }
    const duration = new BucketHistogram()
    duration.observe(seconds)
    durations.push({ flow, duration })
  }

  connectionOpened(kind: ConnectionKind): void {
    this.#connections[kind] += 1
  }

  connectionClosed(kind: ConnectionKind): void {
    this.#connections[kind] -= 1
  }

  /** One that was above the cap, and closed without an answer. */
  connectionRefused(kind: 'http' | 'https'): void {
    this.#refused[kind] += 1
  }

  families(): MetricFamily[] {
    const series = [...this.#series.values()]
    return [
      family(
        'ostiary_http_requests_total',
        'Requests answered; empty labels: no route was found; 499: the client left first',
        'counter',
        () => series.flatMap((each) => each.requestValues()),
      ),
      family(
        'ostiary_http_request_duration_seconds',
        'Time from the request line to the end of the response',
        'histogram',
        (name) => series.flatMap((each) => each.duration.samples(name, each.labels)),
      ),
      family(
        'ostiary_upstream_duration_seconds',
        "Time until the upstream's response headers",
        'histogram',
        (name) => series.flatMap((each) => each.upstreamDuration.samples(name, each.labels)),
      ),
      family(
        'ostiary_upstream_retries_total',
        'Requests sent to their upstream once more: connect-failure, unprocessed (HTTP/2), reset, 502, 503, 504',
        'counter',
        () => series.flatMap((each) => each.retryValues()),
      ),
      family(
        'ostiary_auth_decisions_total',
        'Authorization decisions: allow, redirect (to a login), respond (logout and the like), refuse, unavailable, close (of an open tunnel)',
        'counter',
        () =>
          [...this.#decisions.values()]
            .flat()
            .map(({ labels, count }) => ({ value: count, labels: { ...labels } })),
      ),
      family(
        'ostiary_auth_duration_seconds',
        'Time that authorization of a request took, calls to authorization servers included; no flow where nobody was let in',
        'histogram',
        (name) =>
          [...this.#authDurations].flatMap(([plugin, durations]) =>
            durations.flatMap(({ flow, duration }) => duration.samples(name, { plugin, flow })),
          ),
      ),
      family('ostiary_http_requests_in_flight', 'Requests that are not answered whole yet', 'gauge', () => [
        { value: this.inFlight, labels: {} },
      ]),
      family(
        'ostiary_open_connections',
        'Client connections that are open: http, https, websocket',
        'gauge',
        () => [
          { value: this.#connections.http, labels: { kind: 'http' } },
          { value: this.#connections.https, labels: { kind: 'https' } },
          { value: this.#connections.websocket, labels: { kind: 'websocket' } },
        ],
      ),
      family(
        'ostiary_connections_refused_total',
        'Client connections above --max-connections',
        'counter',
        () => [
          { value: this.#refused.http, labels: { kind: 'http' } },
          { value: this.#refused.https, labels: { kind: 'https' } },
        ],
      ),
    ]
  }
}

/** Of one plugin. There are few reasons, and those that repeat come first. */
function isSame(one: DecisionLabels, other: DecisionLabels): boolean {
  return one.flow === other.flow && one.result === other.result && one.reason === other.reason
}

/** @param plugin `undefined` or empty: of none. */
export function isOfGonePlugin(
  plugin: string | number | undefined,
  policies: Readonly<Record<string, unknown>>,
): boolean {
  return plugin !== undefined && plugin !== '' && !Object.hasOwn(policies, plugin)
}

/** Names the series that a route counts into. */
export function seriesKey(route: Route): string {
  return `${route.ingress.namespace}/${route.ingress.name}/${route.service}`
}

function family(
  name: string,
  help: string,
  type: MetricFamily['type'],
  values: (name: string) => MetricSample[],
): MetricFamily {
  return { name, help, type, aggregator: 'sum', values: values(name) }
}
