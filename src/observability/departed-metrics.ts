import { hostRoutes } from '../table/host-routes.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import type { MetricSample } from './bucket-histogram.ts'
import { isOfGonePlugin, seriesKey, type MetricFamily } from './request-metrics.ts'

interface DepartedFamily extends Omit<MetricFamily, 'values'> {
  readonly values: Map<string, MetricSample>
}

/**
 * What threads had counted that are gone, so that a sum over all threads never goes backwards: a counter that falls is
 * taken for a restart, and its whole value for new requests. Gauges say what is now, and leave with their thread.
 */
export class DepartedMetrics {
  readonly #families = new Map<string, DepartedFamily>()

  /** @param families What the thread had last told. */
  add(families: readonly MetricFamily[]): void {
    for (const { values, ...family } of families) {
      if (family.type === 'gauge') continue
      const known = this.#families.get(family.name)?.values ?? new Map<string, MetricSample>()
      this.#families.set(family.name, { ...family, values: known })
      for (const sample of values) {
        const key = JSON.stringify([sample.metricName, sample.labels])
        known.set(key, { ...sample, value: sample.value + (known.get(key)?.value ?? 0) })
      }
    }
  }

  /** Drops the series of routes and plugins that the table has no more, as the threads do. */
  retain(table: RoutingTable): void {
    if (this.#families.size === 0) return
    const kept = new Set(table.virtualHosts.flatMap(hostRoutes).map(seriesKey))
    for (const { values } of this.#families.values()) {
      for (const [key, { labels }] of values) {
        const { namespace, ingress, service, plugin } = labels
        const isOfRoute = ingress !== undefined && ingress !== ''
        const isOfGoneRoute = isOfRoute && !kept.has(`${namespace}/${ingress}/${service}`)
        if (isOfGoneRoute || isOfGonePlugin(plugin, table.policies)) values.delete(key)
      }
    }
  }

  families(): MetricFamily[] {
    return [...this.#families.values()].map(({ values, ...family }) => ({
      ...family,
      values: [...values.values()],
    }))
  }
}
