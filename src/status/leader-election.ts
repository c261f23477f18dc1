import type { Logger } from 'pino'
import { systemClock, systemTimers, type Clock, type Timers } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { ApiServerError } from '../source/cluster/api-server-error.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import { pause } from '../source/cluster/back-off.ts'
import { ProblemLog } from './problem-log.ts'
import {
  durationOf,
  heldLease,
  holderOf,
  installationOf,
  readLease,
  releasedLease,
  type Lease,
} from './lease.ts'

export interface LeaderElectionOptions {
  readonly api: ApiServer
  /** Where the Lease lies. */
  readonly namespace: string
  /** Of the Lease; those who name the same one compete. */
  readonly name: string
  /** Ours: no other process may ever have the same. */
  readonly identity: string
  /** Which installation this is, in words; the same for all its replicas. */
  readonly installation: string
  /** Called when leading begins or ends. Must be quick and not throw. */
  readonly onChange: (isLeader: boolean) => void
  readonly logger: Logger
  readonly clock?: Clock
  readonly timers?: Timers
  /** As Math.random: for jitter only. */
  readonly random?: () => number
  /** A holder that is silent for so long has lost the Lease; default 15 s. */
  readonly leaseMs?: number
  /** Without a renewal for so long, leading ends; shorter than `leaseMs`; default 10 s. */
  readonly renewMs?: number
  /** Between two attempts; default 2 s, and for those who do not lead up to twice that. */
  readonly retryMs?: number
}

/**
 * Leader election by a coordination.k8s.io/v1 Lease, as client-go does it. Whether another's Lease has expired is
 * judged by our own monotonic clock since its record was last seen to change, for clocks of nodes differ. Ours counts
 * from the moment before its last renewal was sent, and ends before anybody else may take it.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #leaseMs: number
  readonly #renewMs: number
  readonly #retryMs: number
  /** The record as last seen, and when it was first seen so. */
  #seen: { readonly record: string; readonly atMs: number } | undefined
  #leadsUntilMs = Number.NEGATIVE_INFINITY
  #isLeading = false
  #cancelDeadline: () => void = () => {}
  readonly #problems: ProblemLog
  readonly #strangers: ProblemLog

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#problems = new ProblemLog(options.logger, this.#clock)
    this.#strangers = new ProblemLog(options.logger, this.#clock)
    this.#timers = options.timers ?? systemTimers
    this.#leaseMs = options.leaseMs ?? 15_000
    this.#renewMs = options.renewMs ?? 10_000
    this.#retryMs = options.retryMs ?? 2000
  }

  /** By the clock, so that it is right even where a stalled process has not run its timers yet. */
  isLeader(): boolean {
    return this.#isLeading && this.#clock.monotonic() < this.#leadsUntilMs
  }

  /** Competes until the signal; never rejects. The Lease is kept: see {@link release}. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.attempt(signal)
      const jitter = this.#isLeading ? 1 : 1 + (this.#options.random ?? Math.random)()
      await pause(this.#timers, this.#retryMs * jitter, signal)
    }
  }

  /** Takes or renews the Lease if that may be. Never rejects. @returns Whether it is ours. */
  async attempt(signal: AbortSignal): Promise<boolean> {
    const startedMs = this.#clock.monotonic()
    const late = new AbortController()
    const cancel = this.#timers.after(this.#renewMs / 2, () => late.abort())
    const either = AbortSignal.any([signal, late.signal])
    try {
      const lease = await this.#read(either)
      if (!this.#mayTake(lease)) this.#stop('another instance leads')
      else {
        await this.#hold(lease, either)
        this.#won(startedMs)
      }
      this.#problems.solved()
    } catch (error) {
      if (!signal.aborted) this.#failed(error)
    } finally {
      cancel()
    }
    return this.isLeader()
  }

  /** Stops leading, and lets others take the Lease at once where it is ours. Never rejects. */
  async release(signal: AbortSignal): Promise<void> {
    const wasLeader = this.isLeader()
    this.#stop('the Lease is released')
    if (!wasLeader) return
    try {
      // Read anew: a renewal that was cut off may have been written all the same.
      const lease = await this.#read(signal)
      if (lease === undefined || holderOf(lease) !== this.#options.identity) return
      await this.#send('PUT', releasedLease(lease, this.#clock.now()), signal)
    } catch (error) {
      this.#options.logger.warn({ reason: messageOf(error) }, 'the Lease cannot be released; it will expire')
    }
  }

  /** Undefined when there is none. */
  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return readLease(await this.#options.api.json({ path: this.#path(true), signal }))
    } catch (error) {
      if (error instanceof ApiServerError && error.status === 404) return undefined
      throw error
    }
  }

  #mayTake(lease: Lease | undefined): boolean {
    if (lease === undefined) return true
    const record = JSON.stringify(lease.spec)
    const nowMs = this.#clock.monotonic()
    if (this.#seen?.record !== record) this.#seen = { record, atMs: nowMs }
    const holder = holderOf(lease)
    if (holder === '' || holder === this.#options.identity) return true
    this.#compare(installationOf(lease))
    return nowMs - this.#seen.atMs >= durationOf(lease, this.#leaseMs)
  }

  /** Two installations with one Lease: only one of them would ever write anything. */
  #compare(theirs: string): void {
    const { installation: ours, namespace, name } = this.#options
    if (theirs === '' || theirs === ours) return this.#strangers.solved()
    const fields = { namespace, name, theirs, ours }
    const remedy = 'give each of them an --election-id of its own'
    this.#strangers.report(fields, `the Lease of the leader is held by another installation; ${remedy}`)
  }

  async #hold(lease: Lease | undefined, signal: AbortSignal): Promise<void> {
    const { identity, installation, namespace, name } = this.#options
    const by = { identity, installation, leaseMs: this.#leaseMs, nowMs: this.#clock.now() }
    if (lease !== undefined) return this.#send('PUT', heldLease(lease, by), signal)
    await this.#send('POST', heldLease({ metadata: { name, namespace }, spec: {} }, by), signal)
  }

  async #send(method: 'POST' | 'PUT', lease: Lease, signal: AbortSignal): Promise<void> {
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease }
    await this.#options.api.json({ method, path: this.#path(method === 'PUT'), body, signal })
  }

  #won(startedMs: number): void {
    this.#leadsUntilMs = startedMs + this.#renewMs
    this.#cancelDeadline()
    const leftMs = this.#leadsUntilMs - this.#clock.monotonic()
    this.#cancelDeadline = this.#timers.after(leftMs, () => this.#stop('the Lease could not be renewed'))
    if (this.#isLeading) return
    this.#isLeading = true
    this.#options.logger.info({ identity: this.#options.identity }, 'leading: this instance writes status')
    this.#options.onChange(true)
  }

  #stop(reason: string): void {
    this.#cancelDeadline()
    this.#cancelDeadline = () => {}
    if (!this.#isLeading) return
    this.#isLeading = false
    this.#options.logger.info({ reason }, 'no longer leading')
    this.#options.onChange(false)
  }

  /** A race that was lost (409) is nothing to tell. */
  #failed(error: unknown): void {
    if (error instanceof ApiServerError && error.status === 409) return
    const { namespace, name } = this.#options
    const fields = { namespace, name, reason: messageOf(error) }
    this.#problems.report(fields, 'the Lease of the leader cannot be read or written')
  }

  #path(isNamed: boolean): string {
    const { namespace, name } = this.#options
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`
    return isNamed ? `${leases}/${encodeURIComponent(name)}` : leases
  }
}
