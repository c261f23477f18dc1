import { expect, test } from 'vitest'
import { latencyQuantileMs } from '../../../src/admin/dashboard/latency-quantile.ts'
import { LATENCY_BOUNDS } from '../../../src/observability/bucket-histogram.ts'

function buckets(counts: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: LATENCY_BOUNDS.length + 1 }, (_, index) => counts[index] ?? 0)
}

test('a quantile lies within its bucket, in proportion', () => {
  // 100 requests between 2.5 and 5 ms.
  expect(latencyQuantileMs(buckets({ 2: 100 }), 0.5)).toBeCloseTo(3.75)
  expect(latencyQuantileMs(buckets({ 2: 100 }), 1)).toBeCloseTo(5)
  expect(latencyQuantileMs(buckets({ 0: 10 }), 0.5)).toBeCloseTo(0.5)
})

test('a quantile passes over what is below it', () => {
  expect(latencyQuantileMs(buckets({ 0: 90, 9: 10 }), 0.5)).toBeCloseTo(0.556, 2)
  expect(latencyQuantileMs(buckets({ 0: 90, 9: 10 }), 0.99)).toBeCloseTo(950)
})

test('above the last bound nothing more is known', () => {
  expect(latencyQuantileMs(buckets({ 14: 3 }), 0.5)).toBe(30_000)
})

test('without requests there is none', () => {
  expect(latencyQuantileMs(buckets({}), 0.5)).toBeUndefined()
})
