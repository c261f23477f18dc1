/** What lies at each path, told apart by digest. */
export type Digests = ReadonlyMap<string, string>

/**
 * Decides when changes on disk are taken: once two looks at the directory, one settle time apart, found the same in
 * every changed place. Writers truncate and then write, and tools write several files one after the other; taken in
 * between, a guarded route would be missing for a moment. Where something never rests, the places that do are taken
 * alone after `maxLooks`.
 */
export class Settling {
  readonly #maxLooks: number
  #taken: Digests = new Map()
  #before: Digests = new Map()
  #looks = 0

  constructor(maxLooks: number) {
    this.#maxLooks = maxLooks
  }

  /** Notes what was taken without waiting: the first read of all. */
  begin(digests: Digests): void {
    this.#taken = digests
    this.#before = digests
  }

  /** @returns The changed paths that may be taken now, and whether another look is needed. */
  look(now: Digests): { readonly take: ReadonlySet<string>; readonly again: boolean } {
    const changed = differences(this.#taken, now)
    const moving = new Set([...differences(this.#before, now)].filter((path) => changed.has(path)))
    this.#before = now
    this.#looks = changed.size === 0 ? 0 : this.#looks + 1
    const isPatient = moving.size > 0 && this.#looks < this.#maxLooks
    const take = new Set(isPatient ? [] : [...changed].filter((path) => !moving.has(path)))
    this.#taken = merge(this.#taken, now, take)
    if (take.size > 0) this.#looks = 0
    return { take, again: moving.size > 0 }
  }
}

function differences(a: Digests, b: Digests): Set<string> {
  const all = new Set([...a.keys(), ...b.keys()])
  return new Set([...all].filter((path) => a.get(path) !== b.get(path)))
}

function merge(taken: Digests, now: Digests, paths: ReadonlySet<string>): Digests {
  const merged = new Map(taken)
  for (const path of paths) {
    const digest = now.get(path)
    if (digest === undefined) merged.delete(path)
    else merged.set(path, digest)
  }
  return merged
}
