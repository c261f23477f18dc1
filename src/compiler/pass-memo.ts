import type { Diagnostics, FoundDiagnostic } from './diagnostics.ts'

/** Something that answers by name. What passes look up in such a thing is noted. */
export interface Lookup<Value> {
  get(key: string): Value | undefined
}

/** All that a pass may ask beside its inputs, each by a name of its own. */
type Sources<Names extends string> = { readonly [Name in Names]: Lookup<unknown> }

/** Flat, for there are many: source, key and answer of one look-up after another. */
type Reads = readonly unknown[]

interface Kept<Result> {
  readonly inputs: readonly unknown[]
  readonly reads: Reads
  readonly result: Result
  readonly diagnostics: readonly FoundDiagnostic[]
  generation: number
}

/**
 * Remembers what a pass made for each key, with what it found, and gives that again while its inputs are the same
 * objects and every look-up would be answered by the same one. Objects never change, so the pass would do no other; it
 * must be pure, and ask for nothing but through its inputs and sources.
 */
export class PassMemo<Names extends string, Result> {
  readonly #kept = new Map<string, Kept<Result>>()
  readonly #judging = new SourcesInUse<Names>()
  #generation = 0
  #isAsked = false

  run<S extends Sources<Names>>(
    key: string,
    inputs: readonly unknown[],
    surroundings: { readonly sources: S; readonly diagnostics: Diagnostics },
    pass: (sources: S, diagnostics: Diagnostics) => Result,
  ): Result {
    const { sources, diagnostics } = surroundings
    const known = this.#kept.get(key)
    this.#isAsked = true
    this.#judging.use(sources)
    if (known !== undefined && isSameList(known.inputs, inputs) && this.#isUpToDate(known.reads, sources)) {
      known.generation = this.#generation
      diagnostics.addAll(known.diagnostics)
      return known.result
    }
    const reads: unknown[] = []
    const own = diagnostics.fresh()
    const result = pass(noting(sources, reads), own)
    const found = own.all()
    diagnostics.addAll(found)
    // A copy, since a list that has grown keeps room for more.
    this.#kept.set(key, {
      inputs,
      reads: reads.slice(),
      result,
      diagnostics: found,
      generation: this.#generation,
    })
    return result
  }

  /** Forgets what was not asked for since the last call, but for when nothing was: the passes stand behind another. */
  sweep(): void {
    if (!this.#isAsked) return
    this.#isAsked = false
    for (const [key, { generation }] of this.#kept)
      if (generation !== this.#generation) this.#kept.delete(key)
    this.#generation += 1
    this.#judging.settle()
  }

  #isUpToDate(reads: Reads, sources: Sources<Names>): boolean {
    if (this.#judging.isUnchanged) return true
    for (let index = 0; index < reads.length; index += 3) {
      const [source, key] = [reads[index] as Names, reads[index + 1] as string]
      if (!this.#judging.isSame(source) && sources[source].get(key) !== reads[index + 2]) return false
    }
    return true
  }
}

/**
 * Which sources are the same objects as when all that is kept was asked for last. What was read from them needs no
 * second look: among ten thousand hosts that is most of a compile.
 */
class SourcesInUse<Names extends string> {
  #settled: Sources<Names> | undefined
  #current: Sources<Names> | undefined
  /** Different ones were used since the last settling, so that nothing is known of any. */
  #isMixed = false
  #same: ReadonlySet<Names> = new Set()
  isUnchanged = false

  use(sources: Sources<Names>): void {
    if (sources === this.#current) return
    const names = Object.keys(sources) as Names[]
    const before = this.#current
    this.#isMixed ||= before !== undefined && names.some((name) => before[name] !== sources[name])
    this.#current = sources
    const settled = this.#isMixed ? undefined : this.#settled
    this.#same = new Set(names.filter((name) => settled !== undefined && settled[name] === sources[name]))
    this.isUnchanged = this.#same.size === names.length
  }

  isSame(name: Names): boolean {
    return this.#same.has(name)
  }

  settle(): void {
    this.#settled = this.#isMixed ? undefined : this.#current
    this.#current = undefined
    this.#isMixed = false
    this.isUnchanged = false
  }
}

/** Whether two lists have the same objects in the same order. */
export function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one === other || (one.length === other.length && one.every((item, index) => item === other[index]))
}

/** The same sources, each of whose answers is noted once. */
function noting<Names extends string, S extends Sources<Names>>(sources: S, reads: unknown[]): S {
  const entries = (Object.entries(sources) as [Names, Lookup<unknown>][]).map(([source, lookup]) => {
    const known = new Map<string, unknown>()
    const get = (key: string): unknown => {
      if (known.has(key)) return known.get(key)
      const answer = lookup.get(key)
      known.set(key, answer)
      reads.push(source, key, answer)
      return answer
    }
    return [source, { get }]
  })
  return Object.fromEntries(entries) as S
}
