import type { Clock, Timers } from '../../clock.ts'
import type { DecisionCounts, TotalsReading } from '../../observability/request-totals.ts'
import type { TrafficHistory, TrafficSample } from './dashboard-model.ts'
import { latencyQuantileMs } from './latency-quantile.ts'

/** What a thread has counted, and what it has to do just now. */
export interface ThreadTraffic {
  readonly totals: TotalsReading
  readonly requestsInFlight: number
  readonly openConnections: number
}

export interface TrafficSamplerOptions {
  readonly clock: Clock
  readonly timers: Timers
  /** By the name of the thread, which no other has after it; one that is too busy to answer is left out. */
  readonly ask: () => Promise<ReadonlyMap<string, ThreadTraffic>>
  /** The names of the threads that there are. */
  readonly threads: () => readonly string[]
}

const INTERVAL_MS = 5_000
/** A quarter of an hour. */
const SAMPLES = 180

interface Look {
  /** On the monotonic clock. */
  readonly atMs: number
  readonly threads: ReadonlyMap<string, ThreadTraffic>
}

/** Looks every five seconds at what the threads have counted, and keeps what happened in between. */
export class TrafficSampler {
  readonly #options: TrafficSamplerOptions
  readonly #samples: TrafficSample[] = []
  #before: Look | undefined
  #cancel: (() => void) | undefined
  #isStopped = false

  constructor(options: TrafficSamplerOptions) {
    this.#options = options
  }

  /** Resolves when the first look is over, from which the first interval counts. */
  async start(): Promise<void> {
    await this.#look()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }

  history(): TrafficHistory {
    return { intervalMs: INTERVAL_MS, samples: [...this.#samples] }
  }

  async #look(): Promise<void> {
    const { ask, clock, timers } = this.#options
    const now = { atMs: clock.monotonic(), threads: await ask() }
    if (this.#before !== undefined) this.#keep(sampleOf(this.#before, now, clock.now()))
    this.#before = { ...now, threads: this.#lastTold(now.threads) }
    if (!this.#isStopped) this.#cancel = timers.after(INTERVAL_MS, () => void this.#look())
  }

  /** What a thread did not tell this time counts when it does again. */
  #lastTold(threads: Look['threads']): Look['threads'] {
    const all = new Map([...(this.#before?.threads ?? []), ...threads])
    const living = new Set(this.#options.threads())
    for (const name of all.keys()) if (!living.has(name)) all.delete(name)
    return all
  }

  #keep(sample: TrafficSample): void {
    this.#samples.push(sample)
    if (this.#samples.length > SAMPLES) this.#samples.shift()
  }
}

/** Thread by thread, so that one that died takes nothing away, and one that replaces it begins at nothing. */
function sampleOf(before: Look, now: Look, atMs: number): TrafficSample {
  const seconds = Math.max(1, now.atMs - before.atMs) / 1000
  const told = [...now.threads]
  const sum = (read: (totals: TotalsReading) => number): number =>
    told.reduce((total, [name, { totals }]) => {
      const earlier = before.threads.get(name)
      return total + read(totals) - (earlier === undefined ? 0 : read(earlier.totals))
    }, 0)
  const rate = (read: (totals: TotalsReading) => number): number => sum(read) / seconds
  const [first] = told
  const buckets = (first?.[1].totals.latencyBuckets ?? []).map((_, index) =>
    sum(({ latencyBuckets }) => latencyBuckets[index] ?? 0),
  )
  const [p50Ms, p99Ms] = [latencyQuantileMs(buckets, 0.5), latencyQuantileMs(buckets, 0.99)]
  const decided = (result: keyof DecisionCounts): number => rate(({ decisions }) => decisions[result])
  return {
    atMs,
    requestsPerSecond: rate(({ requests }) => requests),
    clientErrorsPerSecond: rate(({ clientErrors }) => clientErrors),
    serverErrorsPerSecond: rate(({ serverErrors }) => serverErrors),
    ...(p50Ms !== undefined && { p50Ms }),
    ...(p99Ms !== undefined && { p99Ms }),
    decisionsPerSecond: {
      allow: decided('allow'),
      redirect: decided('redirect'),
      respond: decided('respond'),
      refuse: decided('refuse'),
      unavailable: decided('unavailable'),
    },
    requestsInFlight: told.reduce((total, [, each]) => total + each.requestsInFlight, 0),
    openConnections: told.reduce((total, [, each]) => total + each.openConnections, 0),
  }
}
