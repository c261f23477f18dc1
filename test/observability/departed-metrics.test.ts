import { expect, test } from 'vitest'
import { DepartedMetrics } from '../../src/observability/departed-metrics.ts'
import { RequestMetrics } from '../../src/observability/request-metrics.ts'
import { aHost, aRoute, aTable } from '../support/snapshot.ts'

function thread(...services: string[]): RequestMetrics {
  const metrics = new RequestMetrics()
  for (const service of services) metrics.seriesOf(aRoute(service)).finished('GET', 200, 0.02)
  metrics.seriesOf(undefined).finished('GET', 404, 0.001)
  metrics.connectionOpened('http')
  return metrics
}

function valuesOf(departed: DepartedMetrics, name: string): readonly (readonly [unknown, number])[] {
  const family = departed.families().find((each) => each.name === name)
  return (family?.values ?? []).map(({ labels, value }) => [labels['service'], value] as const)
}

test('counters and histograms of several threads are added, series by series; gauges are left out', () => {
  const departed = new DepartedMetrics()
  departed.add(thread('a').families())
  departed.add(thread('a', 'a', 'b').families())
  expect(valuesOf(departed, 'ostiary_http_requests_total')).toEqual([
    ['a', 3],
    ['', 2],
    ['b', 1],
  ])
  const histogram = departed.families().find(({ name }) => name === 'ostiary_http_request_duration_seconds')
  const count = histogram?.values.find(
    ({ metricName, labels }) => metricName?.endsWith('_count') === true && labels['service'] === 'a',
  )
  expect(count?.value).toBe(3)
  expect(departed.families().map(({ type }) => type)).not.toContain('gauge')
})

test('series of routes that are gone are dropped, and those of no route stay', () => {
  const departed = new DepartedMetrics()
  departed.add(thread('a', 'b').families())
  const byDefault = aHost('example.com', [], { defaultRoute: aRoute('b') })
  departed.retain(aTable([byDefault], { b: [1] }))
  expect(valuesOf(departed, 'ostiary_http_requests_total')).toEqual([
    ['b', 1],
    ['', 1],
  ])
})

test('series of plugins that are gone are dropped', () => {
  const departed = new DepartedMetrics()
  const metrics = thread('a')
  for (const plugin of ['default/gone', ''])
    metrics.decided({ plugin, flow: '', result: 'refuse', reason: 'invalid_token' })
  departed.add(metrics.families())
  departed.retain(aTable([], {}))
  const decisions = departed.families().find(({ name }) => name === 'ostiary_auth_decisions_total')
  expect(decisions?.values.map(({ labels }) => labels['plugin'])).toEqual([''])
})
