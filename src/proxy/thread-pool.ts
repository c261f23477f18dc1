import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { Readable } from 'node:stream'
import type { CPUProfileHandle } from 'node:v8'
import type { MessagePort } from 'node:worker_threads'
import { systemTimers, type Timers } from '../clock.ts'
import { DepartedMetrics } from '../observability/departed-metrics.ts'
import type { LineBatch } from '../observability/line-batches.ts'
import type { MetricFamily } from '../observability/request-metrics.ts'
import type { Snapshot } from '../table/routing-table.ts'
import type { SnapshotDifference } from '../table/snapshot-change.ts'
import { createDefaultCertificate } from './default-certificate.ts'
import type { ProxyLog } from './exchange.ts'
import { assertPortFree, canReusePort } from './listen.ts'
import type { ListeningPorts, ProxyServerOptions } from './proxy-server.ts'
import { withPorts, withReusePort } from './shared-addresses.ts'
import { ThreadHandle } from './thread-handle.ts'
import type { LineKind, Publication, ThreadLogs } from './thread-messages.ts'
import type { ReportQuestion, ThreadReport } from './thread-report.ts'
import { createRateLimiter } from './traffic/rate-limiter.ts'
import { createTrustedProxies } from './trusted-proxies.ts'

export interface ThreadPoolOptions extends Omit<ProxyServerOptions, 'ticketKeys'> {
  /** 0, the default: as many as the CPUs that the cgroup allows. */
  readonly workers?: number
  /** Default: nothing is written of requests. */
  readonly logs?: ThreadLogs
}

export interface ThreadPoolDependencies {
  readonly log: ProxyLog
  /** Called once per thread with the main thread's end of its broker port; the pool closes it. */
  readonly serveBroker: (port: MessagePort) => void
  /** Takes the lines that threads write of requests. */
  readonly writeLines?: (of: LineKind, batch: LineBatch) => void
  /** A thread ended without being asked, and another is started. */
  readonly onFailure?: () => void
  /** What threads run; for tests. */
  readonly entry?: URL
  /** Of heartbeats; default the system's. */
  readonly timers?: Timers
}

/** The proxy threads, from the main thread. */
export interface ThreadPool {
  readonly ports: ListeningPorts
  readonly size: number
  /**
   * Resolves when no thread serves from an older snapshot than this one any more; one that is stuck serves nobody.
   *
   * @param difference What differs from a snapshot that was published before, if somebody knows.
   */
  publish(snapshot: Snapshot, difference?: SnapshotDifference): Promise<void>
  /** One line for each thread that is stuck: it has not answered for half a minute, or two while it starts. */
  stuck(): readonly string[]
  /** One list per thread and one of those that have died, for `AggregatorRegistry.aggregate`. */
  metrics(): Promise<(readonly MetricFamily[])[]>
  /** What each thread tells of itself by its name. One that does not answer in time is left out, and so are the dead. */
  reports(question: ReportQuestion): Promise<ReadonlyMap<string, ThreadReport>>
  /** The threads that there are. */
  threads(): readonly ThreadState[]
  /** Begins a CPU profile of the thread in a place; nothing where there is none. */
  startCpuProfile(place: number): Promise<CPUProfileHandle | undefined>
  /** A heap snapshot of the thread in a place, to be read to its end; nothing where there is none. */
  heapSnapshot(place: number): Promise<Readable | undefined>
  /**
   * Stops accepting, lets requests under way finish for so long, and ends the threads, which take snapshots until then.
   * Later calls wait for the first.
   */
  close(options: { readonly drainMs: number }): Promise<void>
}

/** How a thread is. */
export interface ThreadState {
  readonly name: string
  /** Counts from 1; a thread that takes the place of another has its number. */
  readonly place: number
  /** Of the snapshot that it runs on; 0: none. */
  readonly snapshotVersion: number
  readonly isStuck: boolean
}

/** A thread that dies sooner than this after its start is restarted with a pause. */
const QUICK_DEATH_MS = 5_000
const RESTART_PAUSE_MS = 1_000
const CLOSE_GRACE_MS = 2_000
/** Far above what a publish of ten thousand routes takes a thread. */
const STUCK_MS = 30_000
/** On a tenth of a CPU it takes a while until all modules are loaded. */
const STUCK_AT_START_MS = 120_000

/**
 * Starts the threads, all on the same ports. Until the first publish they answer 503. A thread that dies is
 * restarted with the newest snapshot.
 *
 * @throws OstiaryError ERR_LISTEN, ERR_SETTINGS_INVALID
 */
export async function startThreadPool(
  options: ThreadPoolOptions,
  dependencies: ThreadPoolDependencies,
): Promise<ThreadPool> {
  const { workers = 0, logs = {}, ...server } = options
  // A bad network is told here, once, and not by a thread that dies of it.
  createTrustedProxies(options.trustedProxies ?? [])
  for (const address of [options.http, options.https]) {
    if (address !== undefined) await assertPortFree(address)
  }
  const size = await threadCount(workers, dependencies.log)
  const defaultCertificate =
    options.https === undefined
      ? undefined
      : (options.defaultCertificate ?? (await createDefaultCertificate(new Date())))
  const pool = new Pool(
    size,
    dependencies,
    {
      ...server,
      ...(defaultCertificate !== undefined && { defaultCertificate, ticketKeys: randomBytes(48) }),
    },
    logs,
  )
  await pool.start()
  return pool
}

async function threadCount(workers: number, log: ProxyLog): Promise<number> {
  // libuv takes the cgroup's CPU quota into account since 1.49.
  const wanted = workers === 0 ? availableParallelism() : workers
  if (wanted === 1 || (await canReusePort())) return wanted
  log.warn({ wanted }, 'this system cannot share a port between threads: one proxy thread listens')
  return 1
}

class Pool implements ThreadPool {
  readonly size: number
  readonly #dependencies: ThreadPoolDependencies
  readonly #threads = new Set<ThreadHandle>()
  readonly #waiting = new Set<{ readonly sequence: number; readonly resolve: () => void }>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  readonly #departed = new DepartedMetrics()
  readonly #rateLimiter = createRateLimiter()
  readonly #logs: ThreadLogs
  #server: ProxyServerOptions
  #publication: Publication | undefined
  #sequence = 0
  #startedThreads = 0
  #started = false
  #closing = false
  #closed: Promise<void> | undefined

  constructor(
    size: number,
    dependencies: ThreadPoolDependencies,
    server: ProxyServerOptions,
    logs: ThreadLogs,
  ) {
    this.size = size
    this.#logs = logs
    this.#dependencies = dependencies
    this.#server = { ...server, ...withReusePort(server, size > 1) }
  }

  get ports(): ListeningPorts {
    const { http, https } = this.#server
    return {
      ...(http !== undefined && { http: http.port }),
      ...(https !== undefined && { https: https.port }),
    }
  }

  /** The first thread finds the ports where any will do; the others join it. */
  async start(): Promise<void> {
    try {
      const ports = await this.#startThread().listening
      this.#server = { ...this.#server, ...withPorts(this.#server, ports) }
      const others = Array.from({ length: this.size - 1 }, () => this.#startThread().listening)
      await Promise.all(others)
      this.#started = true
    } catch (error) {
      await this.#terminate()
      throw error
    }
  }

  publish(snapshot: Snapshot, difference?: SnapshotDifference): Promise<void> {
    this.#sequence += 1
    const publication = { sequence: this.#sequence, snapshot, ...(difference && { difference }) }
    this.#publication = publication
    for (const thread of this.#threads) thread.publish(publication)
    return new Promise((resolve) => {
      this.#waiting.add({ sequence: publication.sequence, resolve })
      this.#acknowledge()
    })
  }

  stuck(): readonly string[] {
    return [...this.#threads]
      .filter(isStuck)
      .map(({ name, silentMs }) => `${name} has not answered for ${silentMs / 1000} s`)
  }

  async metrics(): Promise<(readonly MetricFamily[])[]> {
    const asked = [...this.#threads]
    const told = await Promise.all(asked.map((thread) => thread.metrics()))
    // One that died meanwhile is counted among the departed.
    const living = told.filter((_, index) => this.#threads.has(asked[index] as ThreadHandle))
    // Here and not at each publish, which must not cost what the whole table does.
    if (this.#publication !== undefined) this.#departed.retain(this.#publication.snapshot.table)
    const departed = this.#departed.families()
    return departed.length === 0 ? living : [...living, departed]
  }

  async reports(question: ReportQuestion): Promise<ReadonlyMap<string, ThreadReport>> {
    const told = await Promise.all(
      [...this.#threads].map(async (thread) => [thread.name, await thread.report(question)] as const),
    )
    return new Map(told.flatMap(([name, report]) => (report === undefined ? [] : [[name, report] as const])))
  }

  threads(): readonly ThreadState[] {
    return [...this.#threads].map((thread) => ({
      name: thread.name,
      place: thread.place,
      snapshotVersion: thread.snapshotVersion,
      isStuck: isStuck(thread),
    }))
  }

  startCpuProfile(place: number): Promise<CPUProfileHandle | undefined> {
    return this.#at(place)?.startCpuProfile() ?? Promise.resolve(undefined)
  }

  heapSnapshot(place: number): Promise<Readable | undefined> {
    return this.#at(place)?.heapSnapshot() ?? Promise.resolve(undefined)
  }

  close({ drainMs }: { readonly drainMs: number }): Promise<void> {
    this.#closed ??= this.#close(drainMs)
    return this.#closed
  }

  async #close(drainMs: number): Promise<void> {
    this.#closing = true
    for (const restart of this.#restarts) clearTimeout(restart)
    await Promise.all([...this.#threads].map((thread) => thread.close(drainMs, CLOSE_GRACE_MS)))
    for (const { resolve } of this.#waiting) resolve()
    this.#waiting.clear()
  }

  #startThread(): ThreadHandle {
    const dependencies = this.#dependencies
    const { entry = threadEntry(), log, serveBroker, timers = systemTimers } = dependencies
    this.#startedThreads += 1
    const thread: ThreadHandle = new ThreadHandle({
      name: `proxy thread ${this.#startedThreads}`,
      place: this.#freePlace(),
      timers,
      entry,
      log,
      serveBroker,
      rateLimiter: this.#rateLimiter,
      server: this.#server,
      logs: this.#logs,
      writeLines: (of, batch) => dependencies.writeLines?.(of, batch),
      publication: this.#publication,
      onPublished: () => this.#acknowledge(),
      onSilence: () => this.#acknowledge(),
      onExit: () => this.#replace(thread),
    })
    this.#threads.add(thread)
    return thread
  }

  #at(place: number): ThreadHandle | undefined {
    return [...this.#threads].find((thread) => thread.place === place)
  }

  #freePlace(): number {
    const taken = new Set([...this.#threads].map(({ place }) => place))
    let place = 1
    while (taken.has(place)) place += 1
    return place
  }

  /** Its open connections are lost, nothing else. */
  #replace(thread: ThreadHandle): void {
    this.#threads.delete(thread)
    this.#departed.add(thread.lastMetrics)
    this.#acknowledge()
    if (this.#closing || !this.#started) return
    this.#dependencies.onFailure?.()
    const lived = performance.now() - thread.startedAtMs
    const pauseMs = lived < QUICK_DEATH_MS ? RESTART_PAUSE_MS : 0
    this.#dependencies.log.error(
      { livedMs: Math.round(lived), pauseMs },
      'proxy thread ended; starting another',
    )
    const restart = setTimeout(() => {
      this.#restarts.delete(restart)
      const next = this.#startThread()
      next.listening.catch((error: Error) => {
        this.#dependencies.log.error({ error: error.message }, 'proxy thread does not listen')
        void next.terminate()
      })
    }, pauseMs)
    this.#restarts.add(restart)
  }

  /**
   * A thread that is being restarted holds nothing up: it starts with the newest snapshot. Nor does one that is stuck,
   * lest the others serve what is old for as long as it hangs.
   */
  #acknowledge(): void {
    const counting = [...this.#threads].filter((thread) => !isStuck(thread))
    const oldest = Math.min(...counting.map((thread) => thread.acknowledged))
    for (const waiting of this.#waiting) {
      if (waiting.sequence > oldest) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
  }

  async #terminate(): Promise<void> {
    this.#closing = true
    await Promise.all([...this.#threads].map((thread) => thread.terminate()))
  }
}

function isStuck({ silentMs, isListening }: ThreadHandle): boolean {
  return silentMs >= (isListening ? STUCK_MS : STUCK_AT_START_MS)
}

/** Beside this file, with its extension: .ts from source, .js once built. tsc rewrites imports, but no URLs. */
function threadEntry(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './thread-entry.ts' : './thread-entry.js', import.meta.url)
}
