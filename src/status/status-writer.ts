import type { Logger } from 'pino'
import { API_VERSION } from '../api/consumer.ts'
import type { Clock, Timers } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { ApiServerError } from '../source/cluster/api-server-error.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import { BackOff, pause } from '../source/cluster/back-off.ts'
import type { RuntimeFinding } from './conditions.ts'
import {
  clearingWrites,
  desiredWrites,
  type Observed,
  type StatusInput,
  type StatusWrite,
} from './desired-writes.ts'
import { LeaderLoop } from './leader-loop.ts'
import { wholeSecondTime } from './micro-time.ts'
import type { PublishedAddresses } from './published-addresses.ts'
import { ProblemLog } from './problem-log.ts'
import { RecentWrites } from './recent-writes.ts'
import { Refusals } from './refusals.ts'
import type { StatusMetrics, WriteResult } from './status-metrics.ts'
import { TokenBucket } from './token-bucket.ts'

export interface StatusWriterOptions {
  readonly api: ApiServer
  readonly observed: Observed
  readonly addresses: PublishedAddresses
  /** Our field manager; at most 128 characters. Different for installations that do not share a leader. */
  readonly manager: string
  /** Asked before every write. */
  readonly isLeader: () => boolean
  readonly findings: () => ReadonlyMap<string, RuntimeFinding>
  readonly logger: Logger
  readonly clock: Clock
  readonly timers: Timers
  /** As Math.random: for jitter only. */
  readonly random: () => number
  readonly metrics?: StatusMetrics
}

/** Everything is looked over so often, for what others changed. */
const RESYNC_MS = 10_000
const WRITES_PER_SECOND = 50
const BURST = 100
const MAX_RETRY_AFTER_MS = 60_000

const COLLECTIONS: Readonly<Record<string, { readonly apiVersion: string; readonly plural: string }>> = {
  Ingress: { apiVersion: 'networking.k8s.io/v1', plural: 'ingresses' },
  OIDCPlugin: { apiVersion: API_VERSION, plural: 'oidcplugins' },
  Consumer: { apiVersion: API_VERSION, plural: 'consumers' },
}

/**
 * Writes statuses by server-side apply while this instance leads: after every compile, and now and then for what others
 * changed. Level-triggered: a write that failed is found to be due again.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #observed: RecentWrites
  readonly #bucket: TokenBucket
  readonly #backOff: BackOff
  /** Kinds in namespaces whose statuses may not be written: by a webhook, for one. */
  readonly #refusals: Refusals
  readonly #loop: LeaderLoop
  #input: StatusInput | undefined
  readonly #problems: ProblemLog

  constructor(options: StatusWriterOptions) {
    this.#options = options
    this.#problems = new ProblemLog(options.logger, options.clock)
    this.#observed = new RecentWrites(options.observed)
    this.#refusals = new Refusals(options.clock, RESYNC_MS)
    this.#bucket = new TokenBucket({ clock: options.clock, perSecond: WRITES_PER_SECOND, burst: BURST })
    this.#backOff = new BackOff({ firstMs: 500, random: options.random })
    this.#loop = new LeaderLoop({
      timers: options.timers,
      everyMs: RESYNC_MS,
      isLeader: options.isLeader,
      pass: (signal) => this.#pass(signal),
      slipped: (error) => this.#report('', messageOf(error)),
    })
  }

  /** Takes the newest compile's outcome. Returns at once. */
  update(input: StatusInput): void {
    this.#input = input
    this.#loop.wake()
  }

  /** To be called when leading begins. */
  wake(): void {
    this.#loop.wake()
  }

  /** Runs until the signal; never rejects. */
  run(signal: AbortSignal): Promise<void> {
    return this.#loop.run(signal)
  }

  /** Takes our addresses from all Ingresses, as far as that goes. Never rejects. */
  async clear(signal: AbortSignal): Promise<void> {
    const writes = clearingWrites(this.#observed, this.#options.manager)
    await this.#writeAll(writes, signal, () => false)
  }

  /** @returns After how long to try again, where something failed. */
  async #pass(signal: AbortSignal): Promise<number | undefined> {
    const input = this.#input
    if (input === undefined) return undefined
    const { addresses, clock, findings, manager } = this.#options
    this.#observed.sweep()
    const writes = desiredWrites({
      input,
      manager,
      observed: this.#observed,
      addresses: await addresses.current(signal),
      findings: findings(),
      now: wholeSecondTime(clock.now()),
    })
    return this.#writeAll(writes, signal, () => this.#loop.isWoken)
  }

  /** @param isOutdated Whether there is something newer to say. */
  async #writeAll(
    writes: Iterable<StatusWrite>,
    signal: AbortSignal,
    isOutdated: () => boolean,
  ): Promise<number | undefined> {
    for (const write of writes) {
      if (this.#refusals.isPaused(placeOf(write))) continue
      await this.#turn(signal)
      if (signal.aborted || !this.#options.isLeader() || isOutdated()) return undefined
      try {
        await this.#write(write, signal)
        this.#refusals.admitted(placeOf(write))
        if (this.#refusals.isEmpty) this.#problems.solved()
      } catch (error) {
        const delayMs = signal.aborted ? undefined : this.#failed(write, error)
        if (delayMs !== undefined) return delayMs
      }
    }
    return undefined
  }

  async #turn(signal: AbortSignal): Promise<void> {
    for (let waitMs = this.#bucket.take(); waitMs > 0 && !signal.aborted; waitMs = this.#bucket.take()) {
      await pause(this.#options.timers, waitMs, signal)
    }
  }

  async #write({ object, status }: StatusWrite, signal: AbortSignal): Promise<void> {
    const { api, manager } = this.#options
    const { kind, namespace, name, uid } = object
    const collection = COLLECTIONS[kind]
    if (collection === undefined) throw new TypeError(`${kind} has no status that is written`)
    const { apiVersion, plural } = collection
    const answer = await api.json({
      method: 'PATCH',
      path: `/apis/${apiVersion}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}/status`,
      query: { fieldManager: manager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      // With the uid, so that an object that was made anew under the name is not told what another was.
      body: { apiVersion, kind, metadata: { name, namespace, uid }, ...(status && { status }) },
      signal,
    })
    this.#observed.wrote(kind, answer)
    this.#options.metrics?.wroteStatus(kind, 'written')
    this.#backOff.reset()
  }

  /** @returns After how long to try again; nothing where the other writes are not concerned. */
  #failed(write: StatusWrite, error: unknown): number | undefined {
    const { object } = write
    const status = error instanceof ApiServerError ? error.status : undefined
    const result = resultOf(status)
    this.#options.metrics?.wroteStatus(object.kind, result)
    if (result === 'skipped') return undefined
    this.#report(object.kind, messageOf(error))
    if (result === 'refused') return undefined
    if (status === 403 || status === 500) {
      this.#refusals.refused(placeOf(write))
      return undefined
    }
    const retryAfterMs = error instanceof ApiServerError ? (error.retryAfterMs ?? 0) : 0
    return Math.max(this.#backOff.next(), Math.min(retryAfterMs, MAX_RETRY_AFTER_MS))
  }

  #report(kind: string, reason: string): void {
    this.#problems.report({ kind, reason }, 'a status cannot be written')
  }
}

function placeOf({ object: { kind, namespace } }: StatusWrite): string {
  return `${kind} ${namespace}`
}

function resultOf(status: number | undefined): WriteResult {
  // Gone, or another by now: the watch tells, and the next pass judges anew.
  if (status === 404 || status === 409) return 'skipped'
  return status === 400 || status === 422 ? 'refused' : 'failed'
}
