/** One value of a metric family. */
export interface MetricSample {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  /** Where it is not the family's: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string
}

/** Upper bounds of the buckets in seconds; above the last there is one more. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/**
 * A Prometheus histogram without prom-client's label hashing: an observation is a short loop over numbers. Unless other
 * bounds are given it is one of durations.
 */
export class BucketHistogram {
  readonly #bounds: readonly number[]
  readonly #buckets: Float64Array
  #sum = 0

  /** @param bounds The upper one of each bucket, ascending. */
  constructor(bounds: readonly number[] = LATENCY_BOUNDS) {
    this.#bounds = bounds
    this.#buckets = new Float64Array(bounds.length + 1)
  }

  /** @returns The bucket that it fell into. */
  observe(value: number): number {
    const bounds = this.#bounds
    let index = 0
    while (index < bounds.length && value > (bounds[index] as number)) index += 1
    this.#buckets[index] = (this.#buckets[index] as number) + 1
    this.#sum += value
    return index
  }

  /** How many were observed. */
  get count(): number {
    return this.#buckets.reduce((sum, inBucket) => sum + inBucket, 0)
  }

  /** Cumulative buckets, sum and count; nothing where nothing was observed. */
  samples(name: string, labels: Readonly<Record<string, string>>): MetricSample[] {
    const samples: MetricSample[] = []
    let count = 0
    for (const [index, inBucket] of this.#buckets.entries()) {
      count += inBucket
      samples.push({
        value: count,
        metricName: `${name}_bucket`,
        labels: { ...labels, le: this.#bounds[index] ?? '+Inf' },
      })
    }
    if (count === 0) return []
    samples.push({ value: this.#sum, metricName: `${name}_sum`, labels })
    samples.push({ value: count, metricName: `${name}_count`, labels })
    return samples
  }
}
