import { LATENCY_BOUNDS } from '../../observability/bucket-histogram.ts'

/**
 * A quantile of a histogram, as Prometheus' `histogram_quantile` estimates it: requests are taken to lie evenly within
 * their bucket, and those above the last bound on it.
 *
 * @param buckets Counts, not cumulative; one more than there are bounds.
 * @param quantile From 0 to 1.
 * @returns Milliseconds; nothing where there was no request.
 */
export function latencyQuantileMs(buckets: readonly number[], quantile: number): number | undefined {
  const total = buckets.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  let below = 0
  for (const [index, upperSeconds] of LATENCY_BOUNDS.entries()) {
    const inBucket = buckets[index] ?? 0
    if (inBucket > 0 && below + inBucket >= quantile * total) {
      const lowerSeconds = LATENCY_BOUNDS[index - 1] ?? 0
      const share = (quantile * total - below) / inBucket
      return 1000 * (lowerSeconds + share * (upperSeconds - lowerSeconds))
    }
    below += inBucket
  }
  return 1000 * (LATENCY_BOUNDS.at(-1) ?? 0)
}
