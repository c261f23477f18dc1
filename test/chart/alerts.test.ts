import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { anchors, firstCells, readPage, ROOT } from '../docs/page.ts'
import { faultsOf, knownMetrics } from './metric-catalogue.ts'
import { readQuery } from './promql.ts'

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly severity: string
  readonly runbook: string
  readonly summary: string
  readonly description: string
}

const read = (file: string): unknown => parse(readFileSync(path.join(ROOT, 'charts/ostiary', file), 'utf8'))
const ALERTS = (read('alerts.yaml') as Alert[]).map((alert) => [alert.alert, alert] as const)
const { prometheusRule } = read('values.yaml') as {
  readonly prometheusRule: { readonly thresholds: Readonly<Record<string, number>> }
}
const KNOWN = await knownMetrics()

/** As the template of the chart makes it. */
function rendered(expr: string, selector: string): string {
  let text = expr.replaceAll('<selector>', selector)
  for (const [name, value] of Object.entries(prometheusRule.thresholds))
    text = text.replaceAll(`<${name}>`, String(value))
  return text
}

test.each(ALERTS)('%s asks for metrics and labels that there are', (_, { expr }) => {
  expect(expr).toContain('<selector>')
  expect(faultsOf(rendered(expr, ''), KNOWN)).toEqual([])
  expect(rendered(expr, '')).not.toMatch(/<[a-zA-Z]+>/)
})

test.each(ALERTS)('%s takes the selector of an installation in each place', (_, { expr }) => {
  const { selectors } = readQuery(rendered(expr, 'job="ostiary-metrics"'))
  expect(selectors.length).toBeGreaterThan(0)
  for (const { labels } of selectors) expect(labels.filter((label) => label === 'job')).toHaveLength(1)
})

test.each(ALERTS)('%s says what it is, how bad, and where to read on', (_, alert) => {
  expect(alert.for).toMatch(/^\d+[mh]$/)
  expect(['critical', 'warning', 'info']).toContain(alert.severity)
  expect(alert.summary).toMatch(/\.$/)
  expect(alert.description).toMatch(/\.$/)
  const [file = '', anchor = ''] = alert.runbook.split('#')
  expect(file).toMatch(/^docs\/[a-z-]+\.md$/)
  expect([...anchors(readPage(file))]).toContain(anchor)
})

test.each(ALERTS)('%s speaks of labels alone that its expression keeps', (_, alert) => {
  const { grouping } = readQuery(rendered(alert.expr, ''))
  const named = `${alert.summary} ${alert.description}`.matchAll(/\$labels\.([a-z_]+)/g)
  expect([...named].map(([, label = '']) => label).filter((label) => !grouping.includes(label))).toEqual([])
})

test('every threshold is used, and each alert has a name of its own', () => {
  const names = ALERTS.map(([name]) => name)
  expect(new Set(names).size).toBe(names.length)
  const used = ALERTS.map(([, { expr }]) => expr).join('\n')
  expect(Object.keys(prometheusRule.thresholds).filter((name) => !used.includes(`<${name}>`))).toEqual([])
})

test('docs/operations.md lists every alert once, and none that is not there', () => {
  expect(firstCells(readPage('docs/operations.md'), 'alert')).toEqual(ALERTS.map(([name]) => name))
})
