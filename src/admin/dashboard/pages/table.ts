import { html, type Html, type HtmlPart } from '../html.ts'

export interface Column<Row> {
  readonly name: string
  readonly cell: (row: Row) => HtmlPart
  readonly isNumber?: boolean
}

export interface TableOptions {
  /** What the table is, for who cannot see where it stands. */
  readonly label: string
  /** Instead of a table without rows. */
  readonly empty: string
}

/**
 * A table, whose rows are cards where a screen is narrow. Its roles are written out: browsers forget them with the
 * style that makes cards.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { empty, label }: TableOptions,
): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table role="table" aria-label="${label}">
      <thead role="rowgroup">
        <tr role="row">
          ${columns.map((column) => html`<th role="columnheader" scope="col" ${numeric(column)}>${column.name}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map(
          (row) =>
            html`<tr role="row">
              ${columns.map((column) => html`<td role="cell" data-label="${column.name}" ${numeric(column)}>${cellBox(column.cell(row))}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
}

/** Words get room enough not to be broken; states and dashes need less. */
function cellBox(content: HtmlPart): Html {
  const isText = typeof content === 'string' && content.length > 10
  return html`<div${isText ? html` class="text"` : undefined}>${content}</div>`
}

function numeric({ isNumber }: { readonly isNumber?: boolean }): Html | undefined {
  return isNumber === true ? html` class="number"` : undefined
}

/** Facts about one thing. Those that are absent are left out. */
export function facts(pairs: readonly (readonly [name: string, value: HtmlPart])[]): Html {
  const shown = pairs.filter(([, value]) => value !== undefined)
  return html`<dl class="facts">
    ${shown.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}

/** A section with its heading; nothing without content. */
export function section(heading: string, content: HtmlPart): Html {
  return html`<section>
    <h2>${heading}</h2>
    ${content}
  </section>`
}
