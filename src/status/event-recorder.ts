import type { Logger } from 'pino'
import type { Clock, Timers } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { ApiServerError } from '../source/cluster/api-server-error.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import { BackOff } from '../source/cluster/back-off.ts'
import { countedEvent, eventName, eventNamespace, historyOf, newEvent, type Occurrence } from './event.ts'
import { LeaderLoop } from './leader-loop.ts'
import { ProblemLog } from './problem-log.ts'
import { Refusals } from './refusals.ts'
import type { StatusMetrics } from './status-metrics.ts'
import { TokenBucket } from './token-bucket.ts'

export interface EventRecorderOptions {
  readonly api: ApiServer
  /** Our controller class, by which people and `kubectl` tell whose Events they are. */
  readonly controller: string
  /** Which process tells. */
  readonly instance: string
  /** Asked before every write. */
  readonly isLeader: () => boolean
  readonly logger: Logger
  readonly clock: Clock
  readonly timers: Timers
  /** As Math.random: for jitter only. */
  readonly random: () => number
  readonly metrics?: StatusMetrics
}

/** The same is told again, and counted, no sooner. Events live for an hour, so that what is still so stays visible. */
const REPEAT_MS = 600_000
const RESYNC_MS = 30_000
const EVENTS_PER_SECOND = 1
const BURST = 50

/**
 * Tells what people must know as Events of the objects concerned, while this instance leads. What there is no room for
 * now is told later if it is still so; nothing ever waits for it.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #bucket: TokenBucket
  readonly #backOff: BackOff
  readonly #loop: LeaderLoop
  #occurrences: () => Iterable<Occurrence> = () => []
  /** When each was told last, by the monotonic clock. */
  readonly #told = new Map<string, number>()
  /** Namespaces that took no Event. */
  readonly #refusals: Refusals
  readonly #problems: ProblemLog

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#problems = new ProblemLog(options.logger, options.clock)
    this.#refusals = new Refusals(options.clock, RESYNC_MS)
    this.#bucket = new TokenBucket({ clock: options.clock, perSecond: EVENTS_PER_SECOND, burst: BURST })
    this.#backOff = new BackOff({ firstMs: 1000, random: options.random })
    this.#loop = new LeaderLoop({
      timers: options.timers,
      everyMs: RESYNC_MS,
      isLeader: options.isLeader,
      pass: (signal) => this.#pass(signal),
      slipped: (error) => this.#report(messageOf(error)),
    })
  }

  /** @param occurrences Gives all that is so now; asked when there is time. */
  update(occurrences: () => Iterable<Occurrence>): void {
    this.#occurrences = occurrences
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

  /** @returns After how long to go on, where not all could be told. */
  async #pass(signal: AbortSignal): Promise<number | undefined> {
    const current = new Map([...this.#occurrences()].map((each) => [keyOf(each), each]))
    this.#forget(current)
    for (const [key, occurrence] of this.#due(current)) {
      if (this.#refusals.isPaused(eventNamespace(occurrence))) continue
      const waitMs = this.#bucket.take()
      if (waitMs > 0) return waitMs
      if (signal.aborted || !this.#options.isLeader()) return undefined
      try {
        const isNews = await this.#tell(occurrence, signal)
        this.#told.set(key, this.#options.clock.monotonic())
        if (isNews) this.#options.metrics?.wroteEvent('written')
        this.#backOff.reset()
        this.#refusals.admitted(eventNamespace(occurrence))
        if (this.#refusals.isEmpty) this.#problems.solved()
      } catch (error) {
        if (signal.aborted) return undefined
        const delayMs = this.#failed(key, occurrence, error)
        if (delayMs !== undefined) return delayMs
      }
    }
    return undefined
  }

  /** What was never told first, then what was told longest ago: else repeats could take all the room there is. */
  #due(current: ReadonlyMap<string, Occurrence>): (readonly [key: string, occurrence: Occurrence])[] {
    const toldMs = (key: string): number => this.#told.get(key) ?? -1
    return [...current].filter(([key]) => this.#isDue(key)).sort(([a], [b]) => toldMs(a) - toldMs(b))
  }

  #isDue(key: string): boolean {
    const toldMs = this.#told.get(key)
    return toldMs === undefined || this.#options.clock.monotonic() - toldMs >= REPEAT_MS
  }

  #forget(current: ReadonlyMap<string, Occurrence>): void {
    for (const key of this.#told.keys()) if (!current.has(key) && this.#isDue(key)) this.#told.delete(key)
  }

  /** Makes the Event, or counts one more where it is there already. @returns False: it was told a short while ago. */
  async #tell(occurrence: Occurrence, signal: AbortSignal): Promise<boolean> {
    const { api, controller, instance, clock } = this.#options
    const namespace = encodeURIComponent(eventNamespace(occurrence))
    const events = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`
    const path = `${events}/${encodeURIComponent(eventName(occurrence))}`
    try {
      const body = newEvent(occurrence, { controller, instance }, clock.now())
      await api.json({ method: 'POST', path: events, body, signal })
      return true
    } catch (error) {
      if (!(error instanceof ApiServerError) || error.status !== 409) throw error
    }
    const { count, lastMs } = historyOf(await api.json({ path, signal }))
    if (clock.now() - lastMs < REPEAT_MS) return false
    const body = countedEvent(count, clock.now())
    await api.json({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal })
    return true
  }

  /** @returns After how long to try again; nothing where the others are not concerned. */
  #failed(key: string, occurrence: Occurrence, error: unknown): number | undefined {
    const status = error instanceof ApiServerError ? error.status : undefined
    // Expired between two requests, changed by another, refused for good, or in a namespace that has gone.
    const isItsOwn = status === 404 || status === 409 || status === 400 || status === 422
    if (isItsOwn) this.#told.set(key, this.#options.clock.monotonic())
    const isGone = status === 404 || status === 409
    this.#options.metrics?.wroteEvent(isGone ? 'skipped' : isItsOwn ? 'refused' : 'failed')
    if (isGone) return undefined
    this.#report(messageOf(error))
    if (isItsOwn) return undefined
    if (status !== 403) return this.#backOff.next()
    // A namespace that is going takes nothing new, nor does one whose quota is used up: others do.
    this.#refusals.refused(eventNamespace(occurrence))
    return undefined
  }

  #report(reason: string): void {
    this.#problems.report({ reason }, 'an Event cannot be written')
  }
}

function keyOf({ object, reason, note }: Occurrence): string {
  return JSON.stringify([object.uid, reason, note])
}
