import { isNode, LineCounter, parseAllDocuments, type Document } from 'yaml'
import type { Origin, Problem } from '../../api/object.ts'
import { parseObject } from '../../api/parse-object.ts'
import type { BrokenInput, KubernetesObject } from '../../api/resources.ts'
import { splitDocuments, type DocumentText } from './split-documents.ts'
import { yamlProblem } from './yaml-problem.ts'

/** What one document, or one item of a `List`, gave. */
export type ManifestEntry =
  | { readonly kind: 'object'; readonly key: string; readonly object: KubernetesObject }
  | { readonly kind: 'broken'; readonly key: string; readonly input: BrokenInput }
  /** Broken, and it is not known which object it was meant to be. */
  | { readonly kind: 'nameless'; readonly input: BrokenInput }

const CLUSTER_SCOPED: ReadonlySet<unknown> = new Set(['IngressClass', 'Namespace'])

/** Identifies an object among those of all kinds. */
export function entryKey(reference: { kind: string; namespace: string; name: string }): string {
  return `${reference.kind}/${reference.namespace}/${reference.name}`
}

/**
 * Reads the text of one file: any number of YAML or JSON documents, of which each may be a `List`. Kinds that Ostiary
 * does not read give no entry. Total: what cannot be read is an entry too, and the documents beside it are unharmed.
 * No message holds anything of the text but names of fields.
 *
 * @param file Path for the origins, as it is to be shown.
 */
export function parseManifest(text: string, file: string): readonly ManifestEntry[] {
  return splitDocuments(text).flatMap((document) => parseText(document, file))
}

function parseText({ text, line: firstLine }: DocumentText, file: string): ManifestEntry[] {
  const lineCounter = new LineCounter()
  const lineOf = (offset: number): number => firstLine + lineCounter.linePos(offset).line - 1
  const documents: readonly Document[] = parseAllDocuments(text, {
    lineCounter,
    prettyErrors: false,
    logLevel: 'silent',
    merge: true,
  })
  return documents.flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) {
      return [nameless({ file, line: lineOf(error.pos[0]) }, yamlProblem(error.code))]
    }
    return parseDocument(document, { file, lineOf })
  })
}

interface Place {
  readonly file: string
  readonly lineOf: (offset: number) => number
}

function parseDocument(document: Document, place: Place): ManifestEntry[] {
  const origin = originOf(document.contents, place)
  let raw: unknown
  try {
    raw = document.toJS()
  } catch {
    // The message would quote the alias, which is a secret where a password begins with an asterisk.
    const message = 'names an alias that is not defined, or too many; quote a value that begins with *'
    return [nameless(origin, `is not valid YAML: this document ${message}`)]
  }
  if (raw === null || raw === undefined) return []
  if (!isList(raw)) return toEntry(raw, origin)
  if (!Array.isArray(raw.items)) return [nameless(origin, 'is a List without a list of items', 'items')]
  return raw.items.flatMap((item, index) =>
    toEntry(asItemOf(raw, item), originOf(document.getIn(['items', index], true), place, origin)),
  )
}

function originOf(node: unknown, { file, lineOf }: Place, parent?: Origin): Origin {
  const offset = isNode(node) ? node.range?.[0] : undefined
  return offset === undefined ? (parent ?? { file, line: lineOf(0) }) : { file, line: lineOf(offset) }
}

interface List {
  readonly apiVersion?: unknown
  readonly kind: string
  readonly items?: unknown
}

function isList(raw: unknown): raw is List {
  const kind = (raw as { kind?: unknown }).kind
  return typeof kind === 'string' && kind.endsWith('List')
}

/** The items of a typed list, such as `IngressList`, do not repeat what they are. */
function asItemOf(list: List, item: unknown): unknown {
  if (list.kind === 'List' || !isMapping(item)) return item
  return { apiVersion: list.apiVersion, kind: list.kind.slice(0, -'List'.length), ...item }
}

function toEntry(raw: unknown, origin: Origin): ManifestEntry[] {
  const result = parseObject(withNamespace(raw))
  if (result.kind === 'ignored') return []
  if (result.kind === 'object') {
    const object: KubernetesObject = { ...result.object, origin }
    return [{ kind: 'object', key: entryKey({ kind: object.kind, ...object.metadata }), object }]
  }
  const { reference, problems } = result
  const closes = result.closes && { closes: { ...result.closes, origin } }
  if (reference === undefined) return [{ kind: 'nameless', input: { origin, problems, ...closes } }]
  return [{ kind: 'broken', key: entryKey(reference), input: { reference, origin, problems, ...closes } }]
}

/** As kubectl has it: a namespaced object without a namespace is in `default`, a cluster-scoped one in none. */
function withNamespace(raw: unknown): unknown {
  if (!isMapping(raw) || !isMapping(raw['metadata'])) return raw
  const { namespace, ...metadata } = raw['metadata']
  if (CLUSTER_SCOPED.has(raw['kind'])) return { ...raw, metadata }
  return { ...raw, metadata: { ...metadata, namespace: namespace || 'default' } }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameless(origin: Origin, message: string, path = ''): ManifestEntry {
  const problems: readonly Problem[] = [{ path, message }]
  return { kind: 'nameless', input: { origin, problems } }
}
