import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createClusterMetrics } from '../../src/observability/cluster-metrics.ts'
import { firstCells, pages, readPage, ROOT } from './page.ts'

const PAGE = readPage('docs/operations.md')
const DESCRIBED = firstCells(PAGE, 'metric')

/** Every name in src/observability. Those of the reflectors are made of parts: they are asked for. */
function metricNames(): ReadonlySet<string> {
  const registry = new Registry()
  createClusterMetrics(registry, { isLeader: () => true, reflections: () => [] })
  const made = registry.getMetricsAsArray().map(({ name }) => name)
  const written = globSync('src/observability/*.ts', { cwd: ROOT }).flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/'(ostiary_[a-z_]+)'/g)].map(
      ([, name = '']) => name,
    ),
  )
  return new Set([...made, ...written])
}

test('docs/operations.md describes every metric once, and none that is not there', () => {
  const names = metricNames()
  expect(names.size).toBeGreaterThan(30)
  expect([...names].filter((name) => !DESCRIBED.includes(name))).toEqual([])
  expect(DESCRIBED.filter((name) => !names.has(name))).toEqual([])
  expect(new Set(DESCRIBED).size).toBe(DESCRIBED.length)
})

test('no page names a metric that is not there', () => {
  const names = metricNames()
  const isKnown = (word: string) => names.has(word.replace(/_(bucket|sum|count)$/, ''))
  const strangers = pages().flatMap(({ file, text }) =>
    [...text.matchAll(/\b(ostiary_[a-z_]*[a-z])\b/g)]
      .map(([, word = '']) => word)
      .filter((word) => !isKnown(word) && !/^ostiary_(reflector|os_a)$/.test(word))
      .map((word) => `${file}: ${word}`),
  )
  expect(strangers).toEqual([])
})
