import type { Logger } from 'pino'
import type { ObjectReference } from '../../api/object.ts'
import type { ObservedObject } from '../../api/observed-object.ts'
import type { BrokenInput, KubernetesObject } from '../../api/resources.ts'
import { systemClock, systemTimers, type Clock, type Timers } from '../../clock.ts'
import { messageOf, OstiaryError } from '../../errors.ts'
import { ApiServerError } from './api-server-error.ts'
import type { ApiServer } from './api-server.ts'
import { BackOff, pause } from './back-off.ts'
import { list } from './list.ts'
import { ObjectStore, type StoreOutcome } from './object-store.ts'
import { readLines } from './read-lines.ts'
import { problemOf } from './reflector-problem.ts'
import { parseWatchEvent, type WatchEvent } from './watch-event.ts'
import type { WatchedResource } from './watched-resource.ts'

export interface ReflectorOptions {
  readonly api: ApiServer
  readonly resource: WatchedResource
  /** Called when objects, or `synced`, changed. Must be quick and not throw. */
  readonly onChange: () => void
  readonly logger: Logger
  readonly clock?: Clock
  readonly timers?: Timers
  /** As Math.random, which is the default: for jitter only. */
  readonly random?: () => number
  /** A watch that brings nothing, not even a bookmark, for so long is taken for dead; default 150 s. */
  readonly silenceMs?: number
}

/** What a reflector has lived through, for metrics. */
export interface ReflectorCounts {
  lists: number
  watches: number
  events: number
  /** Lists and watches that ended in an error. */
  failures: number
  /** Half lines, lines that are no JSON, events that are none. */
  malformedEvents: number
  /** Events older than what was known. */
  staleEvents: number
}

/** How a collection is followed at the moment, for metrics. */
export interface Reflection {
  /** As people name it, with selector and namespace. */
  readonly resource: string
  readonly kind: string
  readonly synced: boolean
  readonly objects: number
  /** When the last list came whole, in milliseconds since the epoch; absent: never. */
  readonly listedMs?: number
  /** When a watch brought something last, bookmarks included; absent: never. */
  readonly heardMs?: number
  readonly counts: Readonly<ReflectorCounts>
}

/** Attempts without any progress after which the resource version itself is in doubt. */
const FAILURES_BEFORE_LIST = 4
/** A watch that lasted so long is followed by the next at once; a shorter one never is, whatever it brought. */
const WORTHWHILE_MS = 5000
/** A server cannot put us off for longer. */
const MAX_RETRY_AFTER_MS = 60_000
/** What goes on failing is logged again so often. */
const REPEAT_MS = 600_000
/** A CRD that is not there yet is usually being installed. */
const MAX_NOT_FOUND_MS = 5000

/**
 * Follows one collection of the API server for as long as the process lives: list, then watch from the list's version
 * on. Any end of a watch is followed by the next one, any error by another attempt after a growing delay; what was
 * known stays until something newer replaces it.
 */
export class Reflector {
  readonly counts: ReflectorCounts = {
    lists: 0,
    watches: 0,
    events: 0,
    failures: 0,
    malformedEvents: 0,
    staleEvents: 0,
  }
  readonly #options: ReflectorOptions
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #random: () => number
  readonly #backOff: BackOff
  readonly #store: ObjectStore
  #synced = false
  #problem: string | undefined
  #reportedMs = 0
  #failuresInARow = 0
  #steppedMs: number
  #listedMs: number | undefined
  #heardMs: number | undefined

  constructor(options: ReflectorOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#timers = options.timers ?? systemTimers
    this.#random = options.random ?? Math.random
    this.#backOff = new BackOff({ random: this.#random })
    this.#store = new ObjectStore(options.resource)
    this.#steppedMs = this.#clock.monotonic()
  }

  get resource(): WatchedResource {
    return this.#options.resource
  }

  /** Whether the collection has been listed once. */
  get synced(): boolean {
    return this.#synced
  }

  /** Why the collection cannot be followed at the moment, and what to do. */
  get problem(): string | undefined {
    return this.#problem
  }

  /**
   * Milliseconds since the last step: an attempt that began, a page or a line that came. All of these are limited, in
   * an outage of the API server too, so a long time means that something hangs.
   */
  get idleMs(): number {
    return this.#clock.monotonic() - this.#steppedMs
  }

  get reflection(): Reflection {
    return {
      resource: this.resource.name,
      kind: this.resource.kind,
      synced: this.#synced,
      objects: this.#store.size,
      ...(this.#listedMs !== undefined && { listedMs: this.#listedMs }),
      ...(this.#heardMs !== undefined && { heardMs: this.#heardMs }),
      counts: this.counts,
    }
  }

  objects(): Iterable<KubernetesObject> {
    return this.#store.objects()
  }

  broken(): Iterable<BrokenInput> {
    return this.#store.broken()
  }

  observed(): Iterable<ObservedObject> {
    return this.#store.observed()
  }

  find(reference: ObjectReference): ObservedObject | undefined {
    return this.#store.find(reference)
  }

  /** Runs until the signal; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#stepped()
      let waitMs: number
      try {
        if (this.#store.resourceVersion === undefined) await this.#list(signal)
        waitMs = (await this.#watch(signal)) ? 0 : this.#backOff.next()
      } catch (error) {
        if (signal.aborted) return
        waitMs = this.#failed(error)
      }
      if (waitMs > 0) await pause(this.#timers, waitMs, signal)
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { api, resource, onChange } = this.#options
    this.counts.lists += 1
    const reader = { onPage: () => this.#stepped(), read: (item: unknown) => this.#store.read(item) }
    const isDifferent = this.#store.replace(await list(api, resource, signal, reader))
    this.#listedMs = this.#clock.now()
    const isFirst = !this.#synced
    this.#synced = true
    if (isDifferent || isFirst) onChange()
  }

  /** @returns Whether the watch lasted. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const { api, resource, silenceMs = 150_000 } = this.#options
    this.counts.watches += 1
    const startedMs = this.#clock.monotonic()
    const body = await api.send({
      path: resource.path,
      query: {
        ...resource.query,
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: this.#store.resourceVersion ?? '',
        // Not all replicas and collections at one moment.
        timeoutSeconds: String(Math.floor(240 + this.#random() * 240)),
      },
      signal,
      bodyTimeoutMs: silenceMs,
    })
    this.#stepped()
    this.#recovered()
    for await (const line of readLines(body, () => (this.counts.malformedEvents += 1))) {
      this.#stepped()
      this.#take(parseWatchEvent(line))
      this.#progressed()
    }
    const hasLasted = this.#clock.monotonic() - startedMs >= WORTHWHILE_MS
    if (hasLasted) this.#progressed()
    return hasLasted
  }

  #take(event: WatchEvent): void {
    this.counts.events += 1
    this.#heardMs = this.#clock.now()
    switch (event.type) {
      case 'changed':
        return this.#settle(this.#store.change(event.object))
      case 'deleted':
        return this.#settle(this.#store.delete(event.object))
      case 'bookmark':
        return this.#store.bookmark(event.resourceVersion)
      case 'error':
        throw event.error
      case 'malformed':
        return this.#settle('malformed')
    }
  }

  #settle(outcome: StoreOutcome): void {
    if (outcome === 'changed') return this.#options.onChange()
    if (outcome === 'status') return
    if (outcome === 'stale') {
      this.counts.staleEvents += 1
      return
    }
    this.counts.malformedEvents += 1
    // Reading on would lose the event for good; a new watch from the last good version brings it again.
    throw new OstiaryError('ERR_SOURCE_UNAVAILABLE', 'the API server sent a watch event that cannot be read')
  }

  #stepped(): void {
    this.#steppedMs = this.#clock.monotonic()
  }

  #progressed(): void {
    this.#failuresInARow = 0
    this.#backOff.reset()
  }

  #recovered(): void {
    if (this.#problem === undefined) return
    this.#problem = undefined
    this.#options.logger.info({ resource: this.resource.name }, 'watching again')
  }

  /** @returns How long to wait before the next attempt. */
  #failed(error: unknown): number {
    this.counts.failures += 1
    this.#failuresInARow += 1
    const status = error instanceof ApiServerError ? error.status : undefined
    if (status === 410 || this.#failuresInARow % FAILURES_BEFORE_LIST === 0) this.#store.forgetVersion()
    if (status !== 410) this.#report(problemOf(this.resource, error))
    else
      this.#options.logger.debug({ resource: this.resource.name, reason: messageOf(error) }, 'listing anew')
    const retryAfterMs = error instanceof ApiServerError ? (error.retryAfterMs ?? 0) : 0
    const delayMs = this.#backOff.next()
    return Math.max(
      status === 404 ? Math.min(delayMs, MAX_NOT_FOUND_MS) : delayMs,
      Math.min(retryAfterMs, MAX_RETRY_AFTER_MS),
    )
  }

  /** While the reason is the same now and then only: who looks at the log late is to find it all the same. */
  #report(problem: string): void {
    const nowMs = this.#clock.monotonic()
    if (problem === this.#problem && nowMs - this.#reportedMs < REPEAT_MS) return
    this.#problem = problem
    this.#reportedMs = nowMs
    this.#options.logger.warn(
      { resource: this.resource.name, reason: problem },
      'the collection cannot be followed',
    )
  }
}
