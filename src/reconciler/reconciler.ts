import type { Logger } from 'pino'
import type { Resources } from '../api/resources.ts'
import { systemClock, systemTimers, type Clock, type Timers } from '../clock.ts'
import type { CompileResult } from '../compiler/compile.ts'
import type { Source } from '../source/source.ts'
import { EMPTY_TABLE, type Snapshot } from '../table/routing-table.ts'
import type { SecretTable } from '../table/secret-table.ts'
import { changesBetween, type SnapshotDifference } from '../table/snapshot-change.ts'
import { DiagnosticLog } from './diagnostic-log.ts'
import { HoldOff } from './hold-off.ts'

export interface ReconcilerOptions {
  readonly source: Pick<Source, 'current' | 'synced'>
  /** Pure. Where it throws all the same, the last good snapshot stays. */
  readonly compile: (resources: Resources) => CompileResult
  /**
   * Hands a snapshot to all proxy threads; resolves when every one runs on it.
   *
   * @param difference From the last one that was published, where that is known.
   */
  readonly publish: (snapshot: Snapshot, difference?: SnapshotDifference) => Promise<void>
  /** The session keys in force, newest first, each base64url of 32 bytes. */
  readonly sessionKeys: (resources: Resources) => readonly string[]
  /** Told of every compile's outcome, after its snapshot was published; writes statuses and counts. */
  readonly reconciled?: (reconciliation: Reconciliation) => void
  readonly logger: Logger
  readonly clock?: Clock
  readonly timers?: Timers
  /** Changes are gathered until so long none came; default 30 ms. */
  readonly quietMs?: number
  /** … and for so long at most; default 150 ms. */
  readonly maxMs?: number
  /** After a publish that failed the next attempt comes so much later; default 1 s. */
  readonly retryMs?: number
}

/** What became of one compile. `durationMs` includes the publish. */
export type Reconciliation =
  | {
      /** `unchanged`: the table is the published one already, though statuses and diagnostics may differ. */
      readonly outcome: 'published' | 'unchanged'
      readonly durationMs: number
      /** Of which the compile alone. */
      readonly compileMs: number
      readonly snapshot: Snapshot
      readonly result: CompileResult
      /** What was compiled. */
      readonly resources: Resources
    }
  /** Compiling threw or publishing failed: the last good snapshot stays. */
  | { readonly outcome: 'failed'; readonly durationMs: number }

/**
 * The loop between source and proxy threads: hold-off, compile, publish. Nothing happens before the source has synced,
 * for a table of half the objects would be open where the other half closes. Publishes follow one another, and what
 * changes during one is in the next.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #holdOff: HoldOff
  readonly #diagnosticLog: DiagnosticLog
  #snapshot: Snapshot = { version: 0, table: EMPTY_TABLE, secrets: {}, sessionKeys: [] }
  #version = 0
  /** Whether every thread is known to run on the snapshot: not before the first publish, nor after a failed one. */
  #isPublished = false
  #running: Promise<void> | undefined
  #isDue = false
  #wasSynced = false
  #isStopped = false
  #passBeganMs: number | undefined
  #cancelRetry: (() => void) | undefined

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#timers = options.timers ?? systemTimers
    this.#diagnosticLog = new DiagnosticLog(options.logger)
    this.#holdOff = new HoldOff({
      timers: this.#timers,
      quietMs: options.quietMs ?? 30,
      maxMs: options.maxMs ?? 150,
      closed: () => this.#due(),
    })
  }

  /** To be called after every change of the source, and when it has synced. */
  changed(): void {
    if (!this.#isStopped) this.#holdOff.changed()
  }

  /** The last snapshot that all threads acknowledged; version 0 is the empty one before the first. */
  current(): Snapshot {
    return this.#snapshot
  }

  /** For how long the pass that is under way has gone on, in milliseconds; 0 between passes. */
  busyMs(): number {
    return this.#passBeganMs === undefined ? 0 : this.#clock.monotonic() - this.#passBeganMs
  }

  /** Stops for good; resolves when no publish is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#holdOff.cancel()
    this.#cancelRetry?.()
    await this.#running
  }

  #due(): void {
    this.#isDue = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    while (this.#isDue && !this.#isStopped) {
      this.#isDue = false
      if (this.#isSynced()) await this.#reconcile()
    }
  }

  #isSynced(): boolean {
    const { source, logger } = this.#options
    const isSynced = source.synced()
    if (isSynced && !this.#wasSynced) logger.info('every source has been read')
    this.#wasSynced ||= isSynced
    return isSynced
  }

  async #reconcile(): Promise<void> {
    const startedMs = this.#clock.monotonic()
    this.#passBeganMs = startedMs
    const compiled = this.#compile()
    const outcome = compiled === undefined ? 'failed' : await this.#publish(compiled)
    this.#passBeganMs = undefined
    const durationMs = this.#clock.monotonic() - startedMs
    if (compiled === undefined || outcome === 'failed') this.#tell({ outcome: 'failed', durationMs })
    else
      this.#tell({
        outcome,
        durationMs,
        compileMs: compiled.compileMs,
        snapshot: this.#snapshot,
        ...compiled.of,
      })
  }

  /** What is done with an outcome must not end the loop. */
  #tell(reconciliation: Reconciliation): void {
    try {
      this.#options.reconciled?.(reconciliation)
    } catch (error) {
      this.#options.logger.error(whereOf(error), 'telling the outcome failed')
    }
  }

  #compile(): Compiled | undefined {
    const { source, compile, sessionKeys, logger } = this.#options
    try {
      const startedMs = this.#clock.monotonic()
      const resources = source.current()
      const result = compile(resources)
      const keys = Object.entries(sessionKeys(resources)).map(
        ([n, key]) => [`session-key/${n}`, key] as const,
      )
      this.#diagnosticLog.update(result.diagnostics)
      return {
        of: { resources, result },
        compileMs: this.#clock.monotonic() - startedMs,
        secrets: { ...result.secrets, ...Object.fromEntries(keys) },
        sessionKeys: keys.map(([id]) => id),
      }
    } catch (error) {
      logger.error(whereOf(error), 'compiling failed; the last good snapshot stays')
      return undefined
    }
  }

  async #publish(compiled: Compiled): Promise<'published' | 'unchanged' | 'failed'> {
    const { secrets, sessionKeys, compileMs } = compiled
    const { table } = compiled.of.result
    const next = { version: this.#version + 1, table, secrets, sessionKeys }
    const difference = this.#isPublished ? differenceOf(this.#snapshot, next) : undefined
    if (difference !== undefined && isNothing(difference, next)) return 'unchanged'
    const { publish, logger } = this.#options
    this.#version = next.version
    const startedMs = this.#clock.monotonic()
    try {
      await publish(next, difference)
    } catch (error) {
      // Some threads may run on it and some not: whatever comes next is published, even if it equals the last good.
      this.#isPublished = false
      logger.error({ version: next.version, ...whereOf(error) }, 'publishing failed and is tried again')
      this.#retryLater()
      return 'failed'
    }
    this.#isPublished = true
    this.#snapshot = next
    const publishMs = this.#clock.monotonic() - startedMs
    const times = { compileMs: Math.round(compileMs), publishMs: Math.round(publishMs) }
    const virtualHosts = table.virtualHosts.length
    logger.info({ version: next.version, virtualHosts, ...times }, 'snapshot published')
    return 'published'
  }

  #retryLater(): void {
    if (this.#isStopped) return
    this.#cancelRetry?.()
    this.#cancelRetry = this.#timers.after(this.#options.retryMs ?? 1000, () => this.changed())
  }
}

interface Compiled {
  readonly of: { readonly resources: Resources; readonly result: CompileResult }
  readonly compileMs: number
  readonly secrets: SecretTable
  readonly sessionKeys: readonly string[]
}

/** What a compile left as it was is compared by identity. */
function differenceOf(from: Snapshot, to: Snapshot): SnapshotDifference {
  return { from, changes: [...changesBetween(from, to)] }
}

/** Whatever the version. */
function isNothing({ from, changes }: SnapshotDifference, { sessionKeys }: Snapshot): boolean {
  return changes.length === 0 && from.sessionKeys.join('\n') === sessionKeys.join('\n')
}

/** The place of a programmer's mistake. Its message is left out: it could quote the secret that it stumbled over. */
function whereOf(error: unknown): { readonly error: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { error: typeof error, at: [] }
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? []
  return { error: error.name, at: frames.slice(0, 5).map((line) => line.trim()) }
}
