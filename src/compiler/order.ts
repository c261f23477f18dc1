import type { ObjectMeta } from '../api/object.ts'

/** Orders by UTF-16 code units: the same everywhere, unlike `localeCompare`. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

interface Dated {
  readonly metadata: Pick<ObjectMeta, 'namespace' | 'name' | 'creationTimestamp'>
}

/**
 * Oldest creationTimestamp first, then namespace, then name. Objects without a timestamp that can be read (files)
 * come after every object that has one.
 */
export function byAge(a: Dated, b: Dated): number {
  const timeA = createdAtMs(a)
  const timeB = createdAtMs(b)
  if (timeA !== timeB) return timeA < timeB ? -1 : 1
  return byName(a, b)
}

/** Namespace, then name. */
export function byName(a: Dated, b: Dated): number {
  return (
    compareText(a.metadata.namespace, b.metadata.namespace) || compareText(a.metadata.name, b.metadata.name)
  )
}

/** Sorted and without repetitions. */
export function sortedUnique(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort(compareText)
}

/** Sorting asks for each many times; metadata never changes. */
const createdAt = new WeakMap<Dated['metadata'], number>()

function createdAtMs({ metadata }: Dated): number {
  const known = createdAt.get(metadata)
  if (known !== undefined) return known
  const time = Date.parse(metadata.creationTimestamp ?? '')
  const createdAtMs = Number.isNaN(time) ? Number.POSITIVE_INFINITY : time
  createdAt.set(metadata, createdAtMs)
  return createdAtMs
}
