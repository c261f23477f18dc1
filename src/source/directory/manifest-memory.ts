import path from 'node:path'
import type { Origin } from '../../api/object.ts'
import type { BrokenInput, KubernetesObject, Resources } from '../../api/resources.ts'
import { collectResources } from '../collect-resources.ts'
import type { ManifestEntry } from './parse-manifest.ts'

/** One file as parsed, or a place that cannot be read. */
export type ParsedFile =
  | { readonly path: string; readonly isEmpty: boolean; readonly entries: readonly ManifestEntry[] }
  | { readonly path: string; readonly unreadable: string }

type Objects = ReadonlyMap<string, KubernetesObject>

/**
 * Joins files to resources and remembers what each file held, so that breaking a manifest never takes away what it
 * said before: without the guarded Ingress for `/admin`, requests for it would fall to a less specific route that may
 * be open. An object that is refused keeps its last good form. A document of which not even the name can be read
 * keeps every object that its file had and that no document claims now, and so does a file that is unreadable or cut
 * to nothing. Deleting a document or a file removes what was in it.
 */
export class ManifestMemory {
  #seen: ReadonlyMap<string, Objects> = new Map()
  #lastGood: Objects = new Map()

  /**
   * Takes the whole content of the directory.
   *
   * @param files In their order, which decides between two definitions of one object: the first stays, the second is
   * reported.
   */
  update(files: readonly ParsedFile[]): Resources {
    const pass = new Pass(this.#seen, this.#lastGood)
    for (const file of files) pass.add(file)
    this.#seen = pass.seen
    this.#lastGood = new Map([...pass.seen.values()].flatMap((objects) => [...objects]))
    return collectResources(this.#lastGood.values(), pass.broken)
  }
}

class Pass {
  readonly seen = new Map<string, Map<string, KubernetesObject>>()
  readonly broken: BrokenInput[] = []
  readonly #claims = new Map<string, Origin | undefined>()
  readonly #seenBefore: ReadonlyMap<string, Objects>
  readonly #lastGood: Objects

  constructor(seenBefore: ReadonlyMap<string, Objects>, lastGood: Objects) {
    this.#seenBefore = seenBefore
    this.#lastGood = lastGood
  }

  add(file: ParsedFile): void {
    if ('unreadable' in file) {
      this.#reportFile(file.path, file.unreadable)
      for (const each of this.#seenBefore.keys()) {
        if (each === file.path || each.startsWith(file.path + path.sep)) this.#hold(each)
      }
      return
    }
    for (const entry of file.entries) this.#addEntry(file.path, entry)
    if (file.isEmpty) this.#addEmpty(file.path)
    else if (file.entries.some((entry) => entry.kind === 'nameless')) this.#hold(file.path)
  }

  /** Nobody empties a file to delete what it says, but a shell does it while a slow command fills it anew. */
  #addEmpty(file: string): void {
    const before = this.#seenBefore.get(file)
    if (before === undefined || before.size === 0) return
    this.#reportFile(file, 'is empty; what it held stays until the file is filled or deleted')
    this.#hold(file)
  }

  #addEntry(file: string, entry: ManifestEntry): void {
    if (entry.kind === 'nameless') {
      // Which object it is, is not known: what the file held may be that.
      this.broken.push(this.#seenBefore.has(file) ? withoutClosing(entry.input) : entry.input)
      return
    }
    const { key } = entry
    if (this.#claims.has(key)) {
      this.broken.push(duplicate(entry, this.#claims.get(key)))
      return
    }
    if (entry.kind === 'object') {
      this.#list(file, key, entry.object)
      return
    }
    this.#claims.set(key, entry.input.origin)
    const held = this.#lastGood.get(key)
    this.broken.push(held === undefined ? entry.input : withoutClosing(entry.input))
    if (held !== undefined) this.#list(file, key, held)
  }

  #hold(file: string): void {
    for (const [key, object] of this.#seenBefore.get(file) ?? []) {
      if (!this.#claims.has(key)) this.#list(file, key, object)
    }
  }

  #list(file: string, key: string, object: KubernetesObject): void {
    this.#claims.set(key, object.origin)
    const objects = this.seen.get(file) ?? new Map<string, KubernetesObject>()
    this.seen.set(file, objects.set(key, object))
  }

  #reportFile(file: string, message: string): void {
    this.broken.push({ origin: { file, line: 1 }, problems: [{ path: '', message }] })
  }
}

function duplicate(
  entry: Exclude<ManifestEntry, { kind: 'nameless' }>,
  first: Origin | undefined,
): BrokenInput {
  if (entry.kind === 'broken') return entry.input
  const { kind, metadata, origin } = entry.object
  const reference = { kind, namespace: metadata.namespace, name: metadata.name }
  const where = first === undefined ? 'above' : `at ${first.file}:${first.line}`
  const message = `is defined a second time; the first, ${where}, counts: remove one of the two`
  const closes = entry.object.kind === 'Ingress' && {
    closes: { ...entry.object, refused: 'Another Ingress has its name.' },
  }
  return { reference, ...(origin && { origin }), problems: [{ path: '', message }], ...closes }
}

function withoutClosing({ closes: _, ...input }: BrokenInput): BrokenInput {
  return input
}
