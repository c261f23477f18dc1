import type { Diagnostics, FoundDiagnostic } from './diagnostics.ts'

/** Something that answers by name. What passes look up in such a thing is noted. */
export interface Lookup<Value> {
  get(key: string): Value | undefined
}

/** All that a pass may ask beside its inputs, each by a name of its own. */
type Sources<Names extends string> = { readonly [Name in Names]: Lookup<unknown> }

interface Read<Names extends string> {
  readonly source: Names
  readonly key: string
  readonly answer: unknown
}

interface Kept<Names extends string, Result> {
  readonly inputs: readonly unknown[]
  readonly reads: readonly Read<Names>[]
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
  readonly #kept = new Map<string, Kept<Names, Result>>()
  #generation = 0

  run<S extends Sources<Names>>(
    key: string,
    inputs: readonly unknown[],
    surroundings: { readonly sources: S; readonly diagnostics: Diagnostics },
    pass: (sources: S, diagnostics: Diagnostics) => Result,
  ): Result {
    const { sources, diagnostics } = surroundings
    const known = this.#kept.get(key)
    if (known !== undefined && isSameList(known.inputs, inputs) && isUpToDate(known.reads, sources)) {
      known.generation = this.#generation
      diagnostics.addAll(known.diagnostics)
      return known.result
    }
    const reads: Read<Names>[] = []
    const own = diagnostics.fresh()
    const result = pass(noting(sources, reads), own)
    const found = own.all()
    diagnostics.addAll(found)
    this.#kept.set(key, { inputs, reads, result, diagnostics: found, generation: this.#generation })
    return result
  }

  /** Forgets what was not asked for since the last call. */
  sweep(): void {
    for (const [key, { generation }] of this.#kept)
      if (generation !== this.#generation) this.#kept.delete(key)
    this.#generation += 1
  }
}

/** Whether two lists have the same objects in the same order. */
export function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one === other || (one.length === other.length && one.every((item, index) => item === other[index]))
}

function isUpToDate<Names extends string>(reads: readonly Read<Names>[], sources: Sources<Names>): boolean {
  return reads.every(({ source, key, answer }) => sources[source].get(key) === answer)
}

function noting<Names extends string, S extends Sources<Names>>(sources: S, reads: Read<Names>[]): S {
  const entries = (Object.entries(sources) as [Names, Lookup<unknown>][]).map(([source, lookup]) => {
    const get = (key: string): unknown => {
      const answer = lookup.get(key)
      reads.push({ source, key, answer })
      return answer
    }
    return [source, { get }]
  })
  return Object.fromEntries(entries) as S
}
