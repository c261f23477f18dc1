import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createControlPlaneMetrics } from '../../src/observability/control-plane-metrics.ts'

test('threads that ended by themselves are counted, from nought on', async () => {
  const registry = new Registry()
  const metrics = createControlPlaneMetrics(registry, '1.2.3')
  const counted = () => registry.getSingleMetricAsString('ostiary_proxy_thread_failures_total')
  expect(await counted()).toMatch(/^ostiary_proxy_thread_failures_total 0$/m)
  metrics.threadFailed()
  expect(await counted()).toMatch(/^ostiary_proxy_thread_failures_total 1$/m)
})
