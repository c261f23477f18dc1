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

/** As sorted by `byAge`, but with each time read once: there may be ten thousand. */
export function sortedByAge<T extends Dated>(items: readonly T[]): T[] {
  const dated = [...items].sort(byName).map((item) => ({ item, time: createdAtMs(item) }))
  // The sort is stable, so that the order by name stays among equals.
  return dated.sort((a, b) => (a.time === b.time ? 0 : a.time < b.time ? -1 : 1)).map(({ item }) => item)
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

function createdAtMs({ metadata }: Dated): number {
  const time = Date.parse(metadata.creationTimestamp ?? '')
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time
}
