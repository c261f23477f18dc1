import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import type { ObjectReference } from '../api/object.ts'
import type { ObservedObject } from '../api/observed-object.ts'
import { systemClock, systemTimers, type Clock, type Timers } from '../clock.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import { pause } from '../source/cluster/back-off.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import type { RuntimeFinding } from './conditions.ts'
import { isHeldByAnother, type Observed, type StatusInput } from './desired-writes.ts'
import { EventRecorder } from './event-recorder.ts'
import { occurrenceOf, type Occurrence } from './event.ts'
import { LeaderElection } from './leader-election.ts'
import { NodeAddresses } from './node-addresses.ts'
import { PublishedAddresses } from './published-addresses.ts'
import type { StatusMetrics } from './status-metrics.ts'
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
  /** Name of the pod that we run in, in `namespace`: Ingresses get the addresses of the nodes of all pods like it. */
  readonly publishNodesOf?: string
  /** What tells this installation from others, in words; the same for all its replicas. */
  readonly installation: string
  /** `spec.controller` of our IngressClasses. */
  readonly controller: string
  /** Take the addresses away when the last instance leaves. */
  readonly clearOnShutdown: boolean
  /** What was found at run time, by the `namespace/name` of the OIDCPlugin; default: nothing. */
  readonly findings?: () => ReadonlyMap<string, RuntimeFinding>
  /** Likewise of other objects: told as Events beside those of the compile. Asked anew for each pass. */
  readonly runtimeDiagnostics?: () => readonly Diagnostic[]
  readonly metrics?: StatusMetrics
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
  readonly #manager: string
  readonly #election: LeaderElection
  readonly #writer: StatusWriter
  readonly #events: EventRecorder

  constructor(options: StatusReporterOptions) {
    const { api, logger, namespace, electionId: name, identity, observed, metrics } = options
    const clock = options.clock ?? systemClock
    const timers = options.timers ?? systemTimers
    const random = options.random ?? Math.random
    const isLeader = (): boolean => this.isLeader()
    const common = { api, logger, clock, timers, random, isLeader, ...(metrics && { metrics }) }
    this.#options = options
    this.#timers = timers
    this.#manager = managerOf(namespace, name)
    const onChange = (): void => this.#wake()
    this.#election = new LeaderElection({
      ...common,
      namespace,
      name,
      identity,
      installation: options.installation,
      onChange,
    })
    this.#writer = new StatusWriter({
      ...common,
      observed,
      addresses: publishedAddresses(options, clock),
      manager: this.#manager,
      findings: options.findings ?? (() => new Map()),
    })
    this.#events = new EventRecorder({ ...common, controller: options.controller, instance: identity })
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

  /** Whether this instance is the one that writes. */
  isLeader(): boolean {
    return !this.#options.leaderElect || this.#election.isLeader()
  }

  #wake(): void {
    this.#writer.wake()
    this.#events.wake()
  }

  *#occurrences(reported: Reported): Generator<Occurrence, void, undefined> {
    const ours = new Set(reported.ingresses.map(keyOf))
    const { findings = () => new Map(), runtimeDiagnostics = () => [] } = this.#options
    for (const diagnostic of [...reported.diagnostics, ...runtimeDiagnostics()]) {
      if (diagnostic.severity === 'info') continue
      const object = this.#toldOf(diagnostic.object, ours, reported.claims)
      if (object !== undefined) yield occurrenceOf(object, diagnostic)
    }
    for (const [id, { reason, message }] of findings()) {
      const [namespace = '', name = ''] = id.split('/')
      const object = this.#toldOf({ kind: 'OIDCPlugin', namespace, name }, ours, reported.claims)
      if (object !== undefined) yield { object, reason, note: message }
    }
  }

  /** The object as observed; of what belongs to another controller, or to another installation, nothing is said. */
  #toldOf(
    reference: ObjectReference,
    ours: ReadonlySet<string>,
    claims: Reported['claims'],
  ): ObservedObject | undefined {
    if (reference.kind === 'Ingress' && !ours.has(keyOf(reference))) return undefined
    const object = this.#options.observed.find(reference)
    if (object === undefined || object.uid === '') return undefined
    const claim = reference.kind === 'OIDCPlugin' ? claims?.get(keyOf(reference)) : undefined
    const isOthers = claim === 'others' || (claim === 'nobody' && isHeldByAnother(object, this.#manager))
    return isOthers ? undefined : object
  }

  /**
   * Nobody knows how many instances there are; but the others try to take a Lease that is free, so that the one who can
   * take it again after a while is the last.
   */
  async #leave(): Promise<void> {
    const wasLeader = this.isLeader()
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

function publishedAddresses(options: StatusReporterOptions, clock: Clock): PublishedAddresses {
  const { api, logger, namespace, publishService, publishNodesOf, publishStatusAddress } = options
  const common = { api, logger, clock }
  return new PublishedAddresses({
    ...common,
    addresses: publishStatusAddress,
    ...(publishService !== undefined && { service: publishService }),
    ...(publishNodesOf !== undefined && {
      nodes: new NodeAddresses({ api, clock, namespace, pod: publishNodesOf }),
    }),
  })
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
