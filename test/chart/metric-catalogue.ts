import { Registry } from 'prom-client'
import { createClusterMetrics } from '../../src/observability/cluster-metrics.ts'
import { createControlPlaneMetrics } from '../../src/observability/control-plane-metrics.ts'
import { readPage } from '../docs/page.ts'
import { readQuery } from './promql.ts'

export interface KnownMetric {
  readonly kind: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly labels: readonly string[]
}

/** Of the target, by Prometheus and its operator. */
export const TARGET_LABELS: readonly string[] = [
  'job',
  'instance',
  'pod',
  'namespace',
  'container',
  'endpoint',
  'service',
]

/**
 * Every metric by name, with kind and labels: those of the main thread as prom-client has them, those of the threads as
 * docs/operations.md describes them, which its own test holds complete.
 */
export async function knownMetrics(): Promise<ReadonlyMap<string, KnownMetric>> {
  const known = describedMetrics()
  const registry = new Registry()
  createControlPlaneMetrics(registry, '0.0.0')
  createClusterMetrics(registry, { isLeader: () => true, reflections: () => [] })
  for (const { name, type } of await registry.getMetricsAsJSON()) {
    // A member of every metric; the types of prom-client do not have it.
    const { labelNames } = registry.getSingleMetric(name) as unknown as {
      readonly labelNames: readonly string[]
    }
    known.set(name, { kind: type as unknown as KnownMetric['kind'], labels: labelNames })
  }
  return known
}

/** The table of metrics in docs/operations.md. */
export function describedMetrics(): Map<string, KnownMetric> {
  const rows = readPage('docs/operations.md').prose.matchAll(
    /^\| `(ostiary_[a-z_]+)` +\| (counter|gauge|histogram) +\| ([a-z, ]*) *\|/gm,
  )
  return new Map(
    [...rows].map(([, name = '', kind, labels = '']) => [
      name,
      { kind: kind as KnownMetric['kind'], labels: labels.split(',').flatMap((each) => each.trim() || []) },
    ]),
  )
}

/** What is wrong with an expression: metrics and labels that are not there, and metrics used as what they are not. */
export function faultsOf(expression: string, known: ReadonlyMap<string, KnownMetric>): readonly string[] {
  const { selectors, grouping } = readQuery(expression)
  const faults: string[] = []
  const grouped = new Set(TARGET_LABELS)
  for (const { metric, labels, isRange } of selectors) {
    const family = known.has(metric) ? metric : metric.replace(/_(bucket|sum|count)$/, '')
    const found = known.get(family)
    if (found === undefined) {
      faults.push(`no metric ${metric}`)
      continue
    }
    const isHistogram = found.kind === 'histogram'
    if (isHistogram === (family === metric)) faults.push(`${metric} is of a ${found.kind}`)
    const isCounted = isHistogram || found.kind === 'counter'
    if (isCounted !== isRange)
      faults.push(`${metric}, a ${found.kind}, ${isRange ? 'over a' : 'without'} range`)
    const own = [...found.labels, ...(metric.endsWith('_bucket') ? ['le'] : [])]
    for (const label of own) grouped.add(label)
    const strange = labels.filter((label) => !own.includes(label) && !TARGET_LABELS.includes(label))
    faults.push(...strange.map((label) => `${metric} has no label ${label}`))
  }
  faults.push(
    ...grouping.filter((label) => !grouped.has(label)).map((label) => `nothing has a label ${label}`),
  )
  const quantiles = expression.split('histogram_quantile(').length - 1
  const perBucket = expression.match(/histogram_quantile\([\d.]+, sum by \(le[,)]/g)?.length ?? 0
  if (quantiles !== perBucket) faults.push('a quantile needs its buckets by le')
  return faults
}
