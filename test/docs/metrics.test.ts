import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { metricCatalogue } from '../../scripts/metric-catalogue.ts'
import { firstCells, pages, readPage, ROOT } from './page.ts'

const CATALOGUE = (await metricCatalogue()).flatMap(({ metrics }) => metrics)
const NAMES = new Set(CATALOGUE.map(({ name }) => name))

test('docs/reference/metrics.md describes every metric once, and none that is not there', () => {
  expect(NAMES.size).toBeGreaterThan(40)
  expect(firstCells(readPage('docs/reference/metrics.md'), 'metric')).toEqual(
    CATALOGUE.map(({ name }) => name),
  )
  expect(NAMES.size).toBe(CATALOGUE.length)
})

test('no metric is written in the source that the catalogue does not make', () => {
  const written = globSync('src/**/*.ts', { cwd: ROOT }).flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/'(ostiary_[a-z_]+)'/g)].map(
      ([, name = '']) => name,
    ),
  )
  expect(written.length).toBeGreaterThan(30)
  expect(written.filter((name) => !NAMES.has(name))).toEqual([])
})

test('a histogram has no label of its own buckets, and each metric a meaning', () => {
  for (const { name, kind, labels, help } of CATALOGUE) {
    expect(labels, name).not.toContain('le')
    expect(help, name).toMatch(/^[A-Z0-9].+[^.]$/)
    expect(name.endsWith('_total'), name).toBe(kind === 'counter')
  }
})

test('no page names a metric that is not there', () => {
  const isKnown = (word: string) => NAMES.has(word.replace(/_(bucket|sum|count)$/, ''))
  const strangers = pages().flatMap(({ file, text }) =>
    [...text.matchAll(/\b(ostiary_[a-z_]*[a-z])\b/g)]
      .map(([, word = '']) => word)
      .filter((word) => !isKnown(word) && !/^ostiary_(reflector|os_a)$/.test(word))
      .map((word) => `${file}: ${word}`),
  )
  expect(strangers).toEqual([])
})
