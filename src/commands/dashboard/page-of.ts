import type { Page, PageQuery } from '../../admin/dashboard/dashboard-model.ts'

const USUAL_LIMIT = 100
const HIGHEST_LIMIT = 500

/** What is searched: something, and in lower case all words that it may be found by. */
export interface Searchable {
  readonly text: string
}

/** Makes `Searchable.text`: a line break cannot be searched for, so that no word reaches over two fields. */
export function searchText(fields: readonly (string | undefined)[]): string {
  return fields
    .filter((field) => field !== undefined)
    .join('\n')
    .toLowerCase()
}

/** Those in which all words of the search are. */
export function found<Item extends Searchable>(items: readonly Item[], search = ''): readonly Item[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  return words.length === 0 ? items : items.filter(({ text }) => words.every((word) => text.includes(word)))
}

/** A piece of a list; numbers that make no sense are as if they were absent. */
export function pageOf<Item>(items: readonly Item[], { offset, limit }: PageQuery): Page<Item> {
  const from = wholeNumber(offset, 0)
  const count = Math.min(wholeNumber(limit, USUAL_LIMIT), HIGHEST_LIMIT)
  return { items: items.slice(from, from + count), total: items.length, offset: from }
}

function wholeNumber(value: number | undefined, otherwise: number): number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : otherwise
}
