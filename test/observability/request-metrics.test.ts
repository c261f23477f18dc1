import { AggregatorRegistry } from 'prom-client'
import { expect, test } from 'vitest'
import { RequestMetrics } from '../../src/observability/request-metrics.ts'
import { aRoute } from '../support/snapshot.ts'

function text(...metrics: RequestMetrics[]): Promise<string> {
  return AggregatorRegistry.aggregate(metrics.map((each) => each.families())).metrics()
}

test('adds threads up', async () => {
  const [one, other] = [new RequestMetrics(), new RequestMetrics()]
  one.seriesOf(aRoute('web')).finished('GET', 200, 0.003)
  other.seriesOf(aRoute('web')).finished('GET', 200, 7)
  other.seriesOf(undefined).finished('GET', 404, 0.001)
  one.connectionOpened('https')
  other.connectionOpened('https')
  other.connectionClosed('https')
  const lines = await text(one, other)
  const labels = 'namespace="default",ingress="web",service="web"'
  expect(lines).toContain(`ostiary_http_requests_total{${labels},method="GET",code="200"} 2`)
  expect(lines).toContain(
    'ostiary_http_requests_total{namespace="",ingress="",service="",method="GET",code="404"} 1',
  )
  expect(lines).toContain(`ostiary_http_request_duration_seconds_bucket{${labels},le="0.0025"} 0`)
  expect(lines).toContain(`ostiary_http_request_duration_seconds_bucket{${labels},le="0.005"} 1`)
  expect(lines).toContain(`ostiary_http_request_duration_seconds_bucket{${labels},le="10"} 2`)
  expect(lines).toContain(`ostiary_http_request_duration_seconds_bucket{${labels},le="+Inf"} 2`)
  expect(lines).toContain(`ostiary_http_request_duration_seconds_sum{${labels}} 7.003`)
  expect(lines).toContain(`ostiary_http_request_duration_seconds_count{${labels}} 2`)
  expect(lines).toContain('ostiary_open_connections{kind="https"} 1')
})

test('methods that clients make up share one series', async () => {
  const metrics = new RequestMetrics()
  const series = metrics.seriesOf(aRoute('web'))
  for (const method of ['PROPFIND', 'MKCOL', 'X-A', 'X-B', '__proto__', 'constructor'])
    series.finished(method, 200, 0)
  const requests = metrics.families().find(({ name }) => name === 'ostiary_http_requests_total')
  expect(requests?.values).toEqual([
    { value: 6, labels: expect.objectContaining({ method: 'other', code: 200 }) },
  ])
})

test('routes of one backend share a series, and series of routes that are gone are dropped', () => {
  const metrics = new RequestMetrics()
  const [first, second] = [aRoute('web'), aRoute('web', { path: '/b', id: 'default/web#0.1' })]
  expect(metrics.seriesOf(first)).toBe(metrics.seriesOf(second))
  metrics.seriesOf(first).finished('GET', 200, 0)
  metrics.seriesOf(aRoute('gone')).finished('GET', 200, 0)
  metrics.seriesOf(undefined).finished('GET', 404, 0)
  metrics.retain([first], {})
  const requests = metrics.families().find(({ name }) => name === 'ostiary_http_requests_total')
  expect(requests?.values.map(({ labels }) => labels['service'])).toEqual(['web', ''])
})

test('decisions of plugins that are gone are dropped, and those of none stay', () => {
  const metrics = new RequestMetrics()
  for (const plugin of ['default/kept', 'default/gone', 'constructor', ''])
    metrics.decided({ plugin, flow: 'bearer', result: 'allow', reason: '' })
  metrics.retain([], { 'default/kept': {} })
  const decisions = metrics.families().find(({ name }) => name === 'ostiary_auth_decisions_total')
  expect(decisions?.values.map(({ labels }) => labels['plugin'])).toEqual(['default/kept', ''])
})

test('the time of authorization is by plugin and flow, and leaves with its plugin', async () => {
  const metrics = new RequestMetrics()
  const allowed = { plugin: 'shop/okta', flow: 'bearer', result: 'allow', reason: '' } as const
  metrics.authorized(allowed, 0.0004)
  metrics.authorized({ ...allowed, flow: 'introspection' }, 0.3)
  const lines = await text(metrics)
  const name = 'ostiary_auth_duration_seconds'
  expect(lines).toContain(`${name}_bucket{plugin="shop/okta",flow="bearer",le="0.001"} 1`)
  expect(lines).toContain(`${name}_sum{plugin="shop/okta",flow="introspection"} 0.3`)
  metrics.retain([], {})
  expect(await text(metrics)).not.toContain('shop/okta')
})
