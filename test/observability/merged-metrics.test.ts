import { Counter, Gauge, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { mergedMetrics } from '../../src/observability/merged-metrics.ts'
import { RequestMetrics } from '../../src/observability/request-metrics.ts'
import { aRoute } from '../support/snapshot.ts'

async function merged(format: 'prometheus' | 'openmetrics'): Promise<{ contentType: string; text: string }> {
  const registry = new Registry()
  new Counter({ name: 'own_total', help: 'Own', registers: [registry] }).inc(2)
  new Gauge({ name: 'level', help: 'Level', labelNames: ['kind'], registers: [registry] }).set(
    { kind: 'a' },
    3,
  )
  const threads = [new RequestMetrics(), new RequestMetrics()]
  for (const thread of threads) thread.seriesOf(aRoute('web')).finished('GET', 200, 0.003)
  return mergedMetrics(
    await registry.getMetricsAsJSON(),
    threads.map((thread) => thread.families()),
    format,
  )
}

const LABELS = 'namespace="default",ingress="web",service="web"'

test('the text form has counters by their names', async () => {
  const { contentType, text } = await merged('prometheus')
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  const lines = text.split('\n')
  expect(lines).toContain('# TYPE own_total counter')
  expect(lines).toContain('own_total 2')
  expect(lines).toContain(`ostiary_http_requests_total{${LABELS},method="GET",code="200"} 2`)
})

test('OpenMetrics has families without and samples with _total, and an end', async () => {
  const { contentType, text } = await merged('openmetrics')
  expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  const lines = text.split('\n')
  expect(lines).toContain('# TYPE own counter')
  expect(lines).toContain('own_total 2')
  expect(lines).toContain('level{kind="a"} 3')
  expect(lines).toContain('# TYPE ostiary_http_requests counter')
  expect(lines).toContain(`ostiary_http_requests_total{${LABELS},method="GET",code="200"} 2`)
  expect(lines).toContain(`ostiary_http_request_duration_seconds_count{${LABELS}} 2`)
  expect(text).not.toContain('_total_total')
  expect(text.endsWith('\n# EOF\n')).toBe(true)
})
