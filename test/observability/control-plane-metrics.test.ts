import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createControlPlaneMetrics } from '../../src/observability/control-plane-metrics.ts'
import { aPolicy, ISSUER } from '../support/a-policy.ts'
import { aTable } from '../support/snapshot.ts'

test('threads that ended by themselves are counted, from nought on', async () => {
  const registry = new Registry()
  const metrics = createControlPlaneMetrics(registry, '1.2.3')
  const counted = () => registry.getSingleMetricAsString('ostiary_proxy_thread_failures_total')
  expect(await counted()).toMatch(/^ostiary_proxy_thread_failures_total 0$/m)
  metrics.threadFailed()
  expect(await counted()).toMatch(/^ostiary_proxy_thread_failures_total 1$/m)
})

test('compiles are counted from nought on, so that a first failure is an increase', async () => {
  const registry = new Registry()
  const metrics = createControlPlaneMetrics(registry, '1.2.3')
  const counted = () => registry.getSingleMetricAsString('ostiary_config_reloads_total')
  for (const outcome of ['published', 'unchanged', 'failed'])
    expect(await counted()).toContain(`{outcome="${outcome}"} 0`)
  metrics.reloaded('failed', 0.1, 1)
  expect(await counted()).toContain('{outcome="failed"} 1')
})

test('the age of keys is that of issuers that a plugin has: of others nobody fetches them any more', async () => {
  const registry = new Registry()
  const ages = new Map([
    [ISSUER, 5],
    ['https://gone.example.com', 90_000],
  ])
  const metrics = createControlPlaneMetrics(registry, '1.2.3', { keyAges: () => ages })
  const told = () => registry.getSingleMetricAsString('ostiary_oidc_jwks_age_seconds')
  metrics.published(1, aTable([], {}, { policies: { 'default/oidc': aPolicy() } }))
  expect(await told()).toContain(`{issuer="${ISSUER}"} 5`)
  expect(await told()).not.toContain('gone.example.com')
  metrics.published(2, aTable([], {}))
  expect(await told()).not.toContain(ISSUER)
})

test('calls to an issuer that no plugin has any more are forgotten', async () => {
  const registry = new Registry()
  const metrics = createControlPlaneMetrics(registry, '1.2.3')
  const gone = 'https://gone.example.com'
  const call = { endpoint: 'token', outcome: 'ok', durationMs: 20 }
  const policies = { 'default/oidc': aPolicy() }
  metrics.calledAuthorizationServer({ ...call, issuer: ISSUER })
  metrics.calledAuthorizationServer({ ...call, issuer: gone })
  metrics.calledAuthorizationServer({ ...call, issuer: gone, outcome: 'unavailable' })
  metrics.calledAuthorizationServer({ ...call, issuer: gone, endpoint: 'jwks' })
  metrics.published(1, aTable([], {}, { policies }))
  const text = await registry.metrics()
  expect(text).not.toContain(gone)
  expect(text).toContain(
    `ostiary_authorization_server_requests_total{issuer="${ISSUER}",endpoint="token",outcome="ok"} 1`,
  )
  expect(text).toContain(
    `ostiary_authorization_server_request_duration_seconds_count{issuer="${ISSUER}",endpoint="token"} 1`,
  )
})

test('each thread has its version under a number that a successor takes over', async () => {
  const registry = new Registry()
  const threads = [
    { place: 1, snapshotVersion: 7 },
    { place: 2, snapshotVersion: 6 },
  ]
  createControlPlaneMetrics(registry, '1.2.3', { threads: () => threads })
  const told = () => registry.getSingleMetricAsString('ostiary_proxy_thread_snapshot_version')
  expect(await told()).toContain('{thread="2"} 6')
  threads.pop()
  expect(await told()).not.toContain('thread="2"')
})

test('a compile tells its time and what became of objects', async () => {
  const registry = new Registry()
  const metrics = createControlPlaneMetrics(registry, '1.2.3')
  metrics.compiled(0.02, [{ kind: 'OIDCPlugin', state: 'refused', count: 3 }])
  const text = await registry.metrics()
  expect(text).toContain('ostiary_configuration_objects{kind="OIDCPlugin",state="refused"} 3')
  expect(text).toContain('ostiary_config_compile_duration_seconds_bucket{le="0.05"} 1')
  expect(text).toContain(`ostiary_build_info{version="1.2.3",node_version="${process.versions.node}"} 1`)
})
