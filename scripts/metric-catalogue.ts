import { Registry } from 'prom-client'
import { systemClock } from '../src/clock.ts'
import { cacheFamilies } from '../src/observability/cache-families.ts'
import { createClusterMetrics } from '../src/observability/cluster-metrics.ts'
import { createControlPlaneMetrics } from '../src/observability/control-plane-metrics.ts'
import { LoopDelay } from '../src/observability/loop-delay.ts'
import { RequestMetrics, type MetricFamily } from '../src/observability/request-metrics.ts'
import { SessionMetrics } from '../src/observability/session-metrics.ts'

/** A metric as Prometheus gets it. */
export interface CataloguedMetric {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly labels: readonly string[]
  readonly help: string
}

/** Metrics that are told together. */
export interface MetricGroup {
  readonly title: string
  readonly metrics: readonly CataloguedMetric[]
}

/** Every metric of ours, from what makes them. Those of Node and of the process, which differ by system, are left out. */
export async function metricCatalogue(): Promise<readonly MetricGroup[]> {
  const controlPlane = new Registry()
  createControlPlaneMetrics(controlPlane, '0.0.0')
  const cluster = new Registry()
  createClusterMetrics(cluster, { isLeader: () => true, reflections: () => [] })
  return [
    { title: 'Requests and authorization', metrics: ofFamilies(requestFamilies()) },
    { title: 'Sessions', metrics: ofFamilies(sessionFamilies()) },
    { title: 'Caches', metrics: ofFamilies(cacheFamilies([{ cache: '', entries: 0, hits: 0, misses: 0 }])) },
    { title: 'Event loops', metrics: ofFamilies(loopFamilies()) },
    {
      title: 'Configuration and authorization servers',
      metrics: (await registeredMetrics(controlPlane)).filter(({ name }) => name.startsWith('ostiary_')),
    },
    { title: 'On a cluster only', metrics: await registeredMetrics(cluster) },
  ]
}

/** A thread has no series before something happened: so each thing happens once. */
function requestFamilies(): MetricFamily[] {
  const metrics = new RequestMetrics()
  const series = metrics.seriesOf(undefined)
  series.finished('GET', 200, 0)
  series.upstreamDuration.observe(0)
  series.retried('reset')
  const decision = { plugin: '', flow: '', result: 'allow', reason: '' } as const
  metrics.decided(decision)
  metrics.authorized(decision, 0)
  return metrics.families()
}

function sessionFamilies(): MetricFamily[] {
  const metrics = new SessionMetrics()
  metrics.operated('read', 'ok')
  metrics.refreshed('refreshed')
  metrics.sealed(0)
  metrics.happened({ event: 'logout', outcome: 'ok', client: '', method: 'GET', host: '', path: '' })
  return metrics.families()
}

function loopFamilies(): MetricFamily[] {
  const due: (() => void)[] = []
  const delay = new LoopDelay(systemClock, {
    after(_, callback) {
      due.push(callback)
      return () => undefined
    },
  })
  due.pop()?.()
  return delay.families()
}

/** @throws Error for a family without a series, whose labels nobody can see: let it happen above. */
function ofFamilies(families: readonly MetricFamily[]): CataloguedMetric[] {
  return families.map(({ name, type, help, values }) => {
    const [sample] = values
    if (sample === undefined) throw new Error(`${name} has no series in scripts/metric-catalogue.ts`)
    return { name, kind: type, help, labels: Object.keys(sample.labels).filter((label) => label !== 'le') }
  })
}

/** What a registry has. */
export async function registeredMetrics(registry: Registry): Promise<CataloguedMetric[]> {
  const metrics = await registry.getMetricsAsJSON()
  return metrics.map(({ name, type, help }) => ({
    name,
    kind: kindOf(type),
    help,
    labels: labelsOf(registry, name),
  }))
}

/** prom-client says that these are numbers, and gives words. */
function kindOf(type: unknown): CataloguedMetric['kind'] {
  return String(type) as CataloguedMetric['kind']
}

/** A member of every metric; the types of prom-client do not have it. */
function labelsOf(registry: Registry, name: string): readonly string[] {
  return (registry.getSingleMetric(name) as unknown as { readonly labelNames: readonly string[] }).labelNames
}
