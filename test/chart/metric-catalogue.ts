import { collectDefaultMetrics, Registry } from 'prom-client'
import { metricCatalogue, registeredMetrics, type CataloguedMetric } from '../../scripts/metric-catalogue.ts'
import { readQuery } from './promql.ts'

export type KnownMetric = Pick<CataloguedMetric, 'kind' | 'labels'>

/** Of the target, by Prometheus and its operator. */
const TARGET_LABELS: readonly string[] = [
  'job',
  'instance',
  'pod',
  'namespace',
  'container',
  'endpoint',
  'service',
]

/** Every metric by name, from what makes them, Node's own included. */
export async function knownMetrics(): Promise<ReadonlyMap<string, KnownMetric>> {
  const ofProcess = new Registry()
  collectDefaultMetrics({ register: ofProcess })
  const ours = (await metricCatalogue()).flatMap(({ metrics }) => metrics)
  return new Map([...(await registeredMetrics(ofProcess)), ...ours].map((metric) => [metric.name, metric]))
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
