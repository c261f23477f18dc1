import { Counter, Gauge, type Registry } from 'prom-client'

/** What is asked when the metrics are read. */
export interface ClusterObserved {
  readonly isLeader: () => boolean
  readonly reflections: () => readonly ObservedReflection[]
}

/** How one collection of the API server is followed. */
export interface ObservedReflection {
  readonly resource: string
  readonly kind: string
  readonly synced: boolean
  readonly objects: number
  /** Milliseconds since the epoch; absent: never. */
  readonly listedMs?: number
  readonly heardMs?: number
  readonly counts: Readonly<Record<(typeof COUNTS)[number][0], number>>
}

/** Told of what the leader writes. */
export interface WriteMetrics {
  wroteStatus(kind: string, result: string): void
  wroteEvent(result: string): void
}

const COUNTS = [
  ['lists', 'Lists that were begun'],
  ['watches', 'Watches that were begun'],
  ['events', 'Watch events that came, bookmarks included'],
  ['failures', 'Lists and watches that ended in an error'],
  ['malformedEvents', 'Watch events that could not be read'],
  ['staleEvents', 'Watch events older than what was known'],
] as const

/** The metrics that there are on a cluster only. Labels come from what is followed and written, never from a request. */
export function createClusterMetrics(registry: Registry, observed: ClusterObserved): WriteMetrics {
  const registers = [registry]
  const leader = new Gauge({
    name: 'ostiary_leader',
    help: '1 where this replica writes status and Events',
    registers,
    collect() {
      leader.set(observed.isLeader() ? 1 : 0)
    },
  })
  addReflectorMetrics(registry, observed.reflections)
  const statusWrites = new Counter({
    name: 'ostiary_status_writes_total',
    help: 'Statuses that this replica had to write: written, skipped (the object had gone), refused, failed',
    labelNames: ['kind', 'result'],
    registers,
  })
  const eventWrites = new Counter({
    name: 'ostiary_events_total',
    help: 'Events that this replica had to make or count: written, skipped, refused, failed',
    labelNames: ['result'],
    registers,
  })
  return {
    wroteStatus: (kind, result) => statusWrites.inc({ kind, result }),
    wroteEvent: (result) => eventWrites.inc({ result }),
  }
}

function addReflectorMetrics(registry: Registry, reflections: ClusterObserved['reflections']): void {
  const labelled = (
    name: string,
    help: string,
    valueOf: (reflection: ObservedReflection) => number | undefined,
  ): void => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['resource'],
      registers: [registry],
      collect() {
        for (const each of reflections()) {
          const value = valueOf(each)
          if (value !== undefined) gauge.set({ resource: each.resource }, value)
        }
      },
    })
  }
  labelled('ostiary_reflector_synced', '1 where the collection has been listed', ({ synced }) =>
    Number(synced),
  )
  labelled(
    'ostiary_reflector_last_list_timestamp_seconds',
    'When the collection was last listed whole',
    ({ listedMs }) => listedMs && listedMs / 1000,
  )
  labelled(
    'ostiary_reflector_last_event_timestamp_seconds',
    'When a watch last brought something; the API server sends a bookmark about every minute',
    ({ heardMs }) => heardMs && heardMs / 1000,
  )
  const objects = new Gauge({
    name: 'ostiary_objects',
    help: 'Objects that are followed; a labelled TLS Secret is in two collections',
    labelNames: ['kind', 'resource'],
    registers: [registry],
    collect() {
      for (const { kind, resource, objects: count } of reflections()) objects.set({ kind, resource }, count)
    },
  })
  for (const [count, help] of COUNTS) {
    const counter = new Counter({
      name: `ostiary_reflector_${count.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`,
      help,
      labelNames: ['resource'],
      registers: [registry],
      collect() {
        counter.reset()
        for (const { resource, counts } of reflections()) counter.inc({ resource }, counts[count])
      },
    })
  }
}
