import type { ObjectReference } from '../api/object.ts'
import { observe, type ObservedObject } from '../api/observed-object.ts'
import type { Observed } from './desired-writes.ts'

/**
 * What is observed, with our own writes on top that the watch has not brought back yet: they would be written again
 * otherwise.
 */
export class RecentWrites implements Observed {
  readonly #observed: Observed
  readonly #recent = new Map<string, ObservedObject>()

  constructor(observed: Observed) {
    this.#observed = observed
  }

  /** How many writes the watch has not brought back yet, as far as was looked. */
  get size(): number {
    return this.#recent.size
  }

  /** Forgets what has gone meanwhile. */
  sweep(): void {
    for (const [key, object] of this.#recent)
      if (this.#observed.find(object) === undefined) this.#recent.delete(key)
  }

  /** Takes the API server's answer to a write. */
  wrote(kind: string, answer: unknown): void {
    const object = observe(kind, answer)
    if (object !== undefined) this.#recent.set(keyOf(object), object)
  }

  find(reference: ObjectReference): ObservedObject | undefined {
    const object = this.#observed.find(reference)
    return object === undefined ? undefined : this.#newest(object)
  }

  *observed(kind: string): Iterable<ObservedObject> {
    for (const object of this.#observed.observed(kind)) yield this.#newest(object)
  }

  #newest(object: ObservedObject): ObservedObject {
    const key = keyOf(object)
    const recent = this.#recent.get(key)
    if (recent === undefined) return object
    if (recent.uid === object.uid && isOlder(object.resourceVersion, recent.resourceVersion)) return recent
    this.#recent.delete(key)
    return object
  }
}

function keyOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`
}

/** Versions of one collection grow as decimal numbers. */
function isOlder(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return false
  return BigInt(version) < BigInt(than)
}
