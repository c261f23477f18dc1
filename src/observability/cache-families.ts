import type { MetricFamily } from './request-metrics.ts'

/** How a cache of one thread was used so far. */
export interface CacheUse {
  readonly cache: string
  readonly entries: number
  readonly hits: number
  readonly misses: number
}

/** The metric families of a thread's caches. Their names are a closed set. */
export function cacheFamilies(caches: readonly CacheUse[]): MetricFamily[] {
  const family = (
    name: string,
    help: string,
    type: MetricFamily['type'],
    valueOf: (use: CacheUse) => number,
  ): MetricFamily => ({
    name,
    help,
    type,
    aggregator: 'sum',
    values: caches.map((use) => ({ value: valueOf(use), labels: { cache: use.cache } })),
  })
  return [
    family('ostiary_cache_entries', 'What is remembered between requests', 'gauge', (use) => use.entries),
    family(
      'ostiary_cache_hits_total',
      'Look-ups that found what was asked for; decisions are looked up before the other caches',
      'counter',
      (use) => use.hits,
    ),
    family('ostiary_cache_misses_total', 'Look-ups that did not find it', 'counter', (use) => use.misses),
  ]
}
