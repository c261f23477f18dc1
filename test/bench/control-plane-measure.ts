import { setTimeout as pause } from 'node:timers/promises'
import { benchChanges, unchangedHost, type TwoUpstreams } from './control-plane-changes.ts'
import type { BenchCluster } from './control-plane-cluster.ts'
import { Probe } from './control-plane-probe.ts'
import { ControlPlaneProcess } from './control-plane-process.ts'

export interface MeasureOrder {
  /** How many Ingresses the cluster has. */
  readonly size: number
  readonly cluster: BenchCluster
  readonly kubeconfig: string
  readonly main: string
  readonly ports: TwoUpstreams
  /** Changes of each kind. */
  readonly changes: number
  /** How long latencies are taken. */
  readonly seconds: number
}

/** Times are milliseconds, memory is MiB. */
export interface Measurement {
  readonly size: number
  readonly startToSynced: number
  readonly syncedToReady: number
  readonly firstCompile: number
  /** Median of the compiles after it, each for one change. */
  readonly compile: number
  /** From the request that changes an object to its answers by every thread. */
  readonly changeToLive: Readonly<Record<'p50' | 'p99' | 'max', number>>
  /** Of requests to a route that does not change, while the API server is as busy with what is none of Ostiary's. */
  readonly latencyQuiet: Readonly<Record<'p50' | 'p999' | 'max', number>>
  readonly latencyUnderChange: Readonly<Record<'p50' | 'p999' | 'max', number>>
  /** The most CPU that a proxy thread spent on a part of its first snapshot, before it served anybody. */
  readonly longestFirstPart: number
  /** … and on a part of a later one, without a look at its requests. */
  readonly longestPart: number
  readonly residentMiB: number
  readonly peakMiB: number
  readonly statusWrites: StatusWrites
}

interface StatusWrites {
  /** In the first seconds with an address to publish, with every Ingress due. */
  readonly perSecond: number
  /** Once all were written and Ostiary was started anew; undefined: not waited for. */
  readonly again?: number
}

/** The threads say so of every snapshot that they run on. */
const APPLIED = 'snapshot applied'
const THREADS = 2
const PUBLISHED = 'snapshot published'
const STATUS_SECONDS = 10

export async function measure(order: MeasureOrder): Promise<Measurement> {
  const ostiary = new ControlPlaneProcess(order.main, order.kubeconfig)
  try {
    const startToSynced = await ostiary.millisecondsTo('every source has been read')
    const syncedToReady = (await ostiary.millisecondsTo(PUBLISHED)) - startToSynced
    const probe = await Probe.open(await ostiary.port())
    await pause(2000)
    const residentMiB = ostiary.residentMiB()
    const first = ostiary.lines(PUBLISHED).length
    const changeToLive = spread(await timeChanges(order, probe))
    const compiles = numbers(ostiary, PUBLISHED, 'compileMs')
    const host = unchangedHost(order.size)
    const quiet = await probe.latencies(
      host,
      keepChanging(order, (turn) => order.cluster.patchUnrelated(turn)),
    )
    const underChange = await probe.latencies(host, keepChanging(order, blindChanges(order)))
    const parts = numbers(ostiary, APPLIED, 'longestPartCpuMs')
    const result = {
      size: order.size,
      startToSynced,
      syncedToReady,
      firstCompile: compiles[0] ?? Number.NaN,
      compile: quantile(compiles.slice(first), 0.5),
      changeToLive,
      latencyQuiet: spread(quiet),
      latencyUnderChange: spread(underChange),
      longestFirstPart: Math.max(...parts.slice(0, THREADS)),
      longestPart: Math.max(...parts.slice(THREADS)),
      residentMiB,
      peakMiB: ostiary.peakMiB(),
    }
    probe.close()
    await ostiary.stop()
    return { ...result, statusWrites: await countStatusWrites(order) }
  } finally {
    await ostiary.stop()
  }
}

async function timeChanges(order: MeasureOrder, probe: Probe): Promise<number[]> {
  const kinds = Object.values(benchChanges(order.cluster, probe, order.ports, order.size))
  const taken: number[] = []
  for (let turn = 0; turn < order.changes; turn += 1) {
    for (const change of kinds) {
      const startedMs = performance.now()
      await change(turn)
      taken.push(performance.now() - startedMs)
      // Not in step with the hold-off.
      await pause(40 + Math.random() * 40)
    }
  }
  return taken
}

/** Each kind of change in turn, nobody waiting for any. */
function blindChanges({ size, cluster, ports, changes }: MeasureOrder): (turn: number) => Promise<void> {
  const blind = { live: async () => {} } as unknown as Probe
  const kinds = Object.values(benchChanges(cluster, blind, ports, size))
  return async (turn) => kinds[turn % kinds.length]?.(changes + turn)
}

/** Ten changes a second. */
async function keepChanging(
  { seconds }: MeasureOrder,
  change: (turn: number) => Promise<void>,
): Promise<void> {
  for (let turn = 0; turn < seconds * 10; turn += 1) {
    await change(turn)
    await pause(100)
  }
}

async function countStatusWrites(order: MeasureOrder): Promise<StatusWrites> {
  const { cluster, size } = order
  const before = await cluster.statusWrites()
  // Another one than Ingresses of a smaller measurement have.
  const address = ['--publish-status-address', `ingress-${size}.example.com`]
  const written = async (): Promise<number> => (await cluster.statusWrites()) - before
  const ostiary = new ControlPlaneProcess(order.main, order.kubeconfig, address)
  try {
    await ostiary.line(PUBLISHED)
    await pause(STATUS_SECONDS * 1000)
    const perSecond = (await written()) / STATUS_SECONDS
    if (size > 1000) return { perSecond }
    while ((await written()) < size) await pause(500)
  } finally {
    await ostiary.stop()
  }
  const all = await cluster.statusWrites()
  const again = new ControlPlaneProcess(order.main, order.kubeconfig, address)
  try {
    await again.line(PUBLISHED)
    await pause(STATUS_SECONDS * 1000)
    const perSecond = (all - before) / STATUS_SECONDS
    return { perSecond, again: (await cluster.statusWrites()) - all }
  } finally {
    await again.stop()
  }
}

function numbers(ostiary: ControlPlaneProcess, message: string, field: string): number[] {
  return ostiary.lines(message).map((line) => Number(line[field]))
}

function spread(values: readonly number[]): Record<'p50' | 'p99' | 'p999' | 'max', number> {
  return {
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    p999: quantile(values, 0.999),
    max: quantile(values, 1),
  }
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}
