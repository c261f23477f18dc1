import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import {
  createClusterMetrics,
  type ClusterObserved,
  type ObservedReflection,
} from '../../src/observability/cluster-metrics.ts'

const counts = { lists: 1, watches: 2, events: 3, failures: 4, malformedEvents: 5, staleEvents: 6 }
const classes: ObservedReflection = {
  resource: 'ingressclasses',
  kind: 'IngressClass',
  synced: false,
  objects: 0,
  counts,
}
const ingresses: ObservedReflection = {
  resource: 'ingresses in shop',
  kind: 'Ingress',
  synced: true,
  objects: 7,
  listedMs: 1_700_000_000_500,
  heardMs: 1_700_000_060_000,
  counts,
}

async function linesOf(
  observed: Partial<ClusterObserved>,
  act: (metrics: ReturnType<typeof createClusterMetrics>) => void = () => {},
) {
  const registry = new Registry()
  act(createClusterMetrics(registry, { isLeader: () => false, reflections: () => [], ...observed }))
  await registry.metrics()
  // Read twice, as Prometheus does: counters that are set from outside must not add up.
  return (await registry.metrics()).split('\n')
}

test('tell who leads', async () => {
  expect(await linesOf({ isLeader: () => true })).toContain('ostiary_leader 1')
  expect(await linesOf({})).toContain('ostiary_leader 0')
})

test('tell how fresh each collection is, and say nothing of what never came', async () => {
  const lines = await linesOf({ reflections: () => [classes, ingresses] })
  expect(lines).toEqual(
    expect.arrayContaining([
      'ostiary_reflector_synced{resource="ingressclasses"} 0',
      'ostiary_reflector_synced{resource="ingresses in shop"} 1',
      'ostiary_reflector_last_list_timestamp_seconds{resource="ingresses in shop"} 1700000000.5',
      'ostiary_reflector_last_event_timestamp_seconds{resource="ingresses in shop"} 1700000060',
      'ostiary_objects{kind="Ingress",resource="ingresses in shop"} 7',
      'ostiary_reflector_lists_total{resource="ingresses in shop"} 1',
      'ostiary_reflector_malformed_events_total{resource="ingresses in shop"} 5',
      'ostiary_reflector_stale_events_total{resource="ingressclasses"} 6',
    ]),
  )
  expect(lines.filter((line) => /timestamp_seconds\{resource="ingressclasses"/.test(line))).toEqual([])
})

test('count what is written', async () => {
  const lines = await linesOf({}, (metrics) => {
    metrics.wroteStatus('Ingress', 'written')
    metrics.wroteStatus('Ingress', 'written')
    metrics.wroteStatus('OIDCPlugin', 'failed')
    metrics.wroteEvent('skipped')
  })
  expect(lines).toEqual(
    expect.arrayContaining([
      'ostiary_status_writes_total{kind="Ingress",result="written"} 2',
      'ostiary_status_writes_total{kind="OIDCPlugin",result="failed"} 1',
      'ostiary_events_total{result="skipped"} 1',
    ]),
  )
})
