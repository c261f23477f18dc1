import {
  AggregatorRegistry,
  Registry,
  type MetricObjectWithValues,
  type MetricValue,
  type RegistryContentType,
} from 'prom-client'
import type { MetricFamily } from './request-metrics.ts'

/** A metric as registries tell it. */
type RegisteredMetric = MetricObjectWithValues<MetricValue<string>>

/**
 * The metrics of the main thread and of all proxy threads in one text: of equal names and labels the sum, or what the
 * family's aggregator says.
 */
export async function mergedMetrics(
  own: readonly RegisteredMetric[],
  ofThreads: readonly (readonly MetricFamily[])[],
  format: 'prometheus' | 'openmetrics',
): Promise<{ readonly contentType: string; readonly text: string }> {
  const all: readonly (readonly (RegisteredMetric | MetricFamily)[])[] = [own, ...ofThreads]
  const isOpen = format === 'openmetrics'
  const lists = isOpen ? all.map((metrics) => metrics.map(withFamilyName)) : [...all]
  const merged: Registry<RegistryContentType> = AggregatorRegistry.aggregate(lists)
  if (isOpen) merged.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  return { contentType: merged.contentType, text: await merged.metrics() }
}

/**
 * In OpenMetrics a counter's samples end in `_total`, and its family does not (OpenMetrics 1.0 §Counter). prom-client
 * adds the end to the samples, but of an aggregate it leaves the family's as it is.
 */
function withFamilyName<Metric extends RegisteredMetric | MetricFamily>(metric: Metric): Metric {
  return String(metric.type) === 'counter' ? { ...metric, name: metric.name.replace(/_total$/, '') } : metric
}
