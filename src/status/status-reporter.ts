import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import type { ObjectReference } from '../api/object.ts'
import { systemClock, systemTimers, type Clock, type Timers } from '../clock.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import { pause } from '../source/cluster/back-off.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import type { RuntimeFinding } from './conditions.ts'
import type { Observed, StatusInput } from './desired-writes.ts'
import { EventRecorder } from './event-recorder.ts'
import { occurrenceOf, type Occurrence } from './event.ts'
import { LeaderElection } from './leader-election.ts'
import { PublishedAddresses } from './published-addresses.ts'
import { StatusWriter } from './status-writer.ts'

export interface StatusReporterOptions {
  readonly api: ApiServer
  readonly observed: Observed
  /** The controller's own namespace, where the Lease lies. */
  readonly namespace: string
  /** Name of the Lease. */
  readonly electionId: string
  /** False: this is the only instance, which always leads. */
  readonly leaderElect: boolean
  /** Names this process: no other may ever have the same. */
  readonly identity: string
  /** `namespace/name` of the Service whose addresses Ingresses get. */
  readonly publishService?: string
  /** Addresses that Ingresses get instead. */
  readonly publishStatusAddress: readonly string[]
  /** Take the addresses away when the last instance leaves. */
  readonly clearOnShutdown: boolean
  /** What was found at run time, by the `namespace/name` of the OIDCPlugin; default: nothing. */
  readonly findings?: () => ReadonlyMap<string, RuntimeFinding>
  readonly logger: Logger
  readonly clock?: Clock
  readonly timers?: Timers
  /** As Math.random, which is the default: for jitter only. */
  readonly random?: () => number
}

/** What a compile gives, together with the table that every thread runs on. */
export interface Reported extends StatusInput {
  readonly diagnostics: readonly Diagnostic[]
}

/** Others who are there have tried to take a released Lease by then. */
const SUCCESSION_MS = 5000
/** Work at shutdown takes no longer. */
const FAREWELL_MS = 10_000

/**
 * Tells people on the objects themselves what became of them: conditions, addresses and Events, by one leader of all
 * instances. Requests never wait for any of it.
 */
export class StatusReporter {
  readonly #options: StatusReporterOptions
  readonly #timers: Timers
  readonly #election: LeaderElection
  readonly #writer: StatusWriter
  readonly #events: EventRecorder

  constructor(options: StatusReporterOptions) {
    const { api, logger, namespace, electionId: name, identity, publishService: service } = options
    const clock = options.clock ?? systemClock
    const timers = options.timers ?? systemTimers
    const random = options.random ?? Math.random
    const common = { api, logger, clock, timers, random, isLeader: () => this.#isLeader() }
    this.#options = options
    this.#timers = timers
    const onChange = (): void => this.#wake()
    this.#election = new LeaderElection({ ...common, namespace, name, identity, onChange })
    const addresses = new PublishedAddresses({
      ...common,
      addresses: options.publishStatusAddress,
      ...(service !== undefined && { service }),
    })
    this.#writer = new StatusWriter({
      ...common,
      addresses,
      observed: options.observed,
      manager: managerOf(namespace, name),
      findings: options.findings ?? (() => new Map()),
    })
    this.#events = new EventRecorder({ ...common, instance: identity })
  }

  /** Takes the outcome of a compile whose table is live. Returns at once. */
  reconciled(reported: Reported): void {
    this.#writer.update(reported)
    this.#events.update(() => this.#occurrences(reported))
  }

  /** Runs until the signal, then lets another instance lead. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const election = this.#options.leaderElect ? this.#election.run(signal) : undefined
    await Promise.all([election, this.#writer.run(signal), this.#events.run(signal)])
    await this.#leave()
  }

  #isLeader(): boolean {
    return !this.#options.leaderElect || this.#election.isLeader()
  }

  #wake(): void {
    this.#writer.wake()
    this.#events.wake()
  }

  /** An Ingress of another controller is not spoken of either. */
  *#occurrences({ diagnostics, ingresses }: Reported): Generator<Occurrence, void, undefined> {
    const ours = new Set(ingresses.map(keyOf))
    for (const diagnostic of diagnostics) {
      if (diagnostic.severity === 'info') continue
      const { object: reference } = diagnostic
      if (reference.kind === 'Ingress' && !ours.has(keyOf(reference))) continue
      const object = this.#options.observed.find(reference)
      if (object !== undefined && object.uid !== '') yield occurrenceOf(object, diagnostic)
    }
  }

  /**
   * Nobody knows how many instances there are; but the others try to take a Lease that is free, so that the one who can
   * take it again after a while is the last.
   */
  async #leave(): Promise<void> {
    const wasLeader = this.#isLeader()
    const { leaderElect, clearOnShutdown } = this.#options
    const late = new AbortController()
    const cancel = this.#timers.after(SUCCESSION_MS + FAREWELL_MS, () => late.abort())
    if (leaderElect) await this.#election.release(late.signal)
    if (wasLeader && clearOnShutdown) {
      if (leaderElect) await pause(this.#timers, SUCCESSION_MS, late.signal)
      if (!leaderElect || (await this.#election.attempt(late.signal))) await this.#writer.clear(late.signal)
      if (leaderElect) await this.#election.release(late.signal)
    }
    cancel()
  }
}

function keyOf({ namespace, name }: ObjectReference): string {
  return `${namespace}/${name}`
}

/** One for all instances that share a leader. Longer than 128 characters is refused. */
function managerOf(namespace: string, electionId: string): string {
  const name = `ostiary/${namespace}/${electionId}`
  if (name.length <= 128) return name
  return `ostiary/${createHash('sha256').update(name).digest('hex')}`
}
