import { OstiaryError } from '../../errors.ts'
import type { PageQuery } from './dashboard-model.ts'

/** A query as fastify reads it: a parameter that comes twice is a list. */
export type Query = Readonly<Record<string, unknown>>

/** Rows of a page. */
export const PAGE_SIZE = 100
const HIGHEST_LIMIT = 500
const LONGEST_SEARCH = 200

/** @throws OstiaryError ERR_SETTINGS_INVALID */
export function readPageQuery(query: Query): Required<PageQuery> {
  return {
    search: textOf(query, 'search').trim().slice(0, LONGEST_SEARCH),
    offset: numberOf(query, 'offset', { otherwise: 0, highest: Number.MAX_SAFE_INTEGER }),
    limit: numberOf(query, 'limit', { otherwise: PAGE_SIZE, highest: HIGHEST_LIMIT }),
  }
}

/**
 * One of a few words; absent or empty: nothing was chosen.
 *
 * @throws OstiaryError ERR_SETTINGS_INVALID
 */
export function readChoice<Choice extends string>(
  query: Query,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = textOf(query, name)
  const choice = choices.find((each) => each === text)
  if (choice === undefined && text !== '') throw invalid(`${name}: must be one of ${choices.join(', ')}`)
  return choice
}

export function textOf(query: Query, name: string): string {
  const value = query[name]
  return typeof value === 'string' ? value : ''
}

function numberOf(
  query: Query,
  name: string,
  { otherwise, highest }: { readonly otherwise: number; readonly highest: number },
): number {
  const text = textOf(query, name)
  if (text === '') return otherwise
  if (!/^\d{1,15}$/.test(text) || Number(text) > highest) {
    throw invalid(`${name}: must be a whole number, at most ${highest}`)
  }
  return Number(text)
}

function invalid(message: string): OstiaryError {
  return new OstiaryError('ERR_SETTINGS_INVALID', message)
}
