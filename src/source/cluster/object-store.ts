import { isDeepStrictEqual } from 'node:util'
import { objectKey } from '../../api/object.ts'
import { observe, STATUS_KINDS, type ObservedObject } from '../../api/observed-object.ts'
import { parseObject } from '../../api/parse-object.ts'
import type { BrokenInput, KubernetesObject } from '../../api/resources.ts'
import type { Listing } from './list.ts'
import { resourceVersionOf } from './watch-event.ts'
import type { WatchedResource } from './watched-resource.ts'

interface Entry {
  readonly resourceVersion: string
  /** The last good form; absent when there never was one. */
  readonly object?: KubernetesObject
  /** Why the newest form was refused. */
  readonly broken?: BrokenInput
  readonly observed?: ObservedObject
}

/** An item of a list, in slim form. */
interface ListedItem {
  readonly key: string | undefined
  readonly entry: Entry
}

/** What became of one event. `status`: nothing that is compiled is different now. */
export type StoreOutcome = 'changed' | 'status' | 'stale' | 'malformed'

/**
 * The objects of one collection, in the slim form of `parseObject`. An object that is refused keeps its last good form
 * beside the report. An event that is older than what is known changes nothing, whatever order events come in: an API
 * server behind a load balancer may lag, and a rolled-back policy would let people in.
 */
export class ObjectStore {
  readonly #resource: WatchedResource
  #entries = new Map<string, Entry>()
  /** Versions at which objects were deleted lately, so that an older event does not bring one back. */
  #deleted = new Map<string, string>()
  #deletedEarlier: ReadonlyMap<string, string> = new Map()
  #resourceVersion: string | undefined

  constructor(resource: WatchedResource) {
    this.#resource = resource
  }

  /** From where a watch continues; absent when a list is needed. */
  get resourceVersion(): string | undefined {
    return this.#resourceVersion
  }

  /** How many objects there are, those that were refused included. */
  get size(): number {
    return this.#entries.size
  }

  /** How many deletions are remembered. */
  get deletions(): number {
    return this.#deleted.size + this.#deletedEarlier.size
  }

  /** Makes a list needed; what is known stays. */
  forgetVersion(): void {
    this.#resourceVersion = undefined
  }

  *objects(): Iterable<KubernetesObject> {
    for (const { object } of this.#entries.values()) if (object !== undefined) yield object
  }

  *broken(): Iterable<BrokenInput> {
    for (const { broken } of this.#entries.values()) if (broken !== undefined) yield broken
  }

  /** Of every object, whether it was refused or not. */
  *observed(): Iterable<ObservedObject> {
    for (const { observed } of this.#entries.values()) if (observed !== undefined) yield observed
  }

  find(reference: { readonly namespace: string; readonly name: string }): ObservedObject | undefined {
    return this.#entries.get(objectKey(reference))?.observed
  }

  /** Reads an item of a list, which changes nothing yet. */
  read(item: unknown): ListedItem {
    const version = versionOf(item)
    const key = keyOf(item)
    const before = key === undefined ? undefined : this.#entries.get(key)
    const isSame = before !== undefined && before.resourceVersion === version && version !== ''
    return { key, entry: isSame ? before : this.#parse(item, version, before) }
  }

  /**
   * Takes a whole list, which counts whatever was known before.
   *
   * @returns Whether anything is different now.
   */
  replace({ items, resourceVersion }: Listing<ListedItem>): boolean {
    const entries = new Map<string, Entry>()
    let isDifferent = false
    for (const [index, { key = `\0${index}`, entry }] of items.entries()) {
      if (this.#entries.get(key) !== entry) isDifferent = true
      entries.set(key, entry)
    }
    isDifferent ||= entries.size !== this.#entries.size
    this.#entries = entries
    this.#forgetDeletions()
    this.#forgetDeletions()
    this.#resourceVersion = resourceVersion
    return isDifferent
  }

  /** Takes an object that was added or modified. */
  change(raw: object): StoreOutcome {
    const key = keyOf(raw)
    const version = resourceVersionOf(raw)
    if (key === undefined || version === undefined) return 'malformed'
    const before = this.#entries.get(key)
    if (isOlder(version, before?.resourceVersion) || isOlder(version, this.#deletedAt(key))) return 'stale'
    this.#advance(version)
    this.#deleted.delete(key)
    const entry = this.#parse(raw, version, before)
    this.#entries.set(key, entry)
    return isSameButForStatus(before, entry) ? 'status' : 'changed'
  }

  /** Takes the last form of an object that was deleted. */
  delete(raw: object): StoreOutcome {
    const key = keyOf(raw)
    const version = resourceVersionOf(raw)
    if (key === undefined || version === undefined) return 'malformed'
    if (isOlder(version, this.#entries.get(key)?.resourceVersion)) return 'stale'
    this.#advance(version)
    if (!isOlder(version, this.#deleted.get(key))) this.#deleted.set(key, version)
    return this.#entries.delete(key) ? 'changed' : 'stale'
  }

  /**
   * Nothing else happened up to this version. Deletions are remembered over two bookmarks, which come about every minute:
   * for good, they would fill the memory.
   */
  bookmark(version: string): void {
    this.#advance(version)
    this.#forgetDeletions()
  }

  #forgetDeletions(): void {
    this.#deletedEarlier = this.#deleted
    this.#deleted = new Map()
  }

  #deletedAt(key: string): string | undefined {
    return this.#deleted.get(key) ?? this.#deletedEarlier.get(key)
  }

  #advance(version: string): void {
    if (!isOlder(version, this.#resourceVersion)) this.#resourceVersion = version
  }

  /** Items of lists do not repeat what they are. */
  #parse(raw: unknown, resourceVersion: string, before: Entry | undefined): Entry {
    const { apiVersion, kind } = this.#resource
    const result = parseObject(typeof raw === 'object' ? { ...raw, apiVersion, kind } : raw)
    const observed = observe(kind, raw)
    const common = { resourceVersion, ...(observed && { observed }) }
    if (result.kind === 'object') return { ...common, object: result.object }
    const problems = result.kind === 'broken' ? result.problems : []
    const reference = result.kind === 'broken' ? result.reference : undefined
    const closes = result.kind === 'broken' && before?.object === undefined ? result.closes : undefined
    const broken: BrokenInput = { ...(reference && { reference }), problems, ...(closes && { closes }) }
    return { ...common, broken, ...(before?.object && { object: before.object }) }
  }
}

/** For the kinds with a status of ours alone: what is redacted in a Secret could not be compared. */
function isSameButForStatus(before: Entry | undefined, after: Entry): boolean {
  if (before?.object === undefined || after.object === undefined) return false
  if (before.broken !== undefined || after.broken !== undefined) return false
  if (!STATUS_KINDS.includes(after.object.kind)) return false
  return isDeepStrictEqual(withoutVersion(before.object), withoutVersion(after.object))
}

function withoutVersion({
  metadata: { resourceVersion: _, ...metadata },
  ...rest
}: KubernetesObject): object {
  return { ...rest, metadata }
}

/** Resource versions of one collection grow as decimal numbers; of others nothing is known. */
function isOlder(version: string, than: string | undefined): boolean {
  if (than === undefined || !/^\d+$/.test(version) || !/^\d+$/.test(than)) return false
  return BigInt(version) < BigInt(than)
}

function keyOf(raw: unknown): string | undefined {
  const metadata = (raw as { metadata?: { name?: unknown; namespace?: unknown } } | null)?.metadata
  if (typeof metadata?.name !== 'string' || metadata.name === '') return undefined
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : ''
  return objectKey({ name: metadata.name, namespace })
}

function versionOf(raw: unknown): string {
  return (typeof raw === 'object' && raw !== null ? resourceVersionOf(raw) : undefined) ?? ''
}
