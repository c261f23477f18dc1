import { html, type Html } from '../html.ts'
import type { Page } from '../dashboard-model.ts'
import { PAGE_SIZE } from '../read-query.ts'
import { count } from './words.ts'

/** What a list was asked for. */
export interface ListQuery {
  readonly path: string
  readonly search: string
  readonly choice?: {
    readonly name: string
    readonly label: string
    readonly chosen: string | undefined
    readonly choices: readonly string[]
  }
}

/** Searches by the address, so that a found list can be shared and needs no script. */
export function searchForm({ choice, path, search }: ListQuery, hint: string): Html {
  return html`<form class="search" role="search" action="${path}">
    <div class="field grow">
      <label for="search">Search</label>
      <input
        id="search"
        type="search"
        name="search"
        value="${search}"
        placeholder="${hint}"
        autocomplete="off"
        maxlength="200"
      />
    </div>
    ${
      choice &&
      html`<div class="field">
        <label for="choice">${choice.label}</label>
        <select id="choice" name="${choice.name}">
          <option value="">all</option>
          ${choice.choices.map((each) => html`<option${each === choice.chosen ? html` selected` : undefined}>${each}</option>`)}
        </select>
      </div>`
    }
    <button>Search</button>
  </form>`
}

/** How many there are and which are shown, with the way to the others. */
export function pager(
  query: ListQuery,
  { items, offset, total }: Page<unknown>,
  label = 'Pages of this list',
): Html {
  const last = offset + items.length
  const shown =
    total === 0 ? 'Nothing found' : `${count(Math.min(offset + 1, total))}–${count(last)} of ${count(total)}`
  return html`<nav class="pager" aria-label="${label}">
    <p role="status">${shown}</p>
    ${offset > 0 ? html`<a rel="prev" href="${address(query, Math.max(0, offset - PAGE_SIZE))}">← Previous</a>` : undefined}
    ${last < total ? html`<a rel="next" href="${address(query, last)}">Next →</a>` : undefined}
  </nav>`
}

function address({ choice, path, search }: ListQuery, offset: number): string {
  const query = new URLSearchParams()
  if (search !== '') query.set('search', search)
  if (choice?.chosen !== undefined) query.set(choice.name, choice.chosen)
  if (offset > 0) query.set('offset', String(offset))
  return query.size === 0 ? path : `${path}?${query.toString()}`
}
