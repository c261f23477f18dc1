import { plain } from './terminal.ts'

/**
 * Rows as aligned columns, as kubectl prints them: a line each, two spaces between, nothing behind the last.
 *
 * @param rows Of as many cells as there are headings. Empty cells are shown as `-`.
 */
export function printRows(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [headings, ...rows.map((row) => row.map((cell) => (cell === '' ? '-' : plain(cell))))]
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells.map((row) => `${lineOf(row, widths)}\n`).join('')
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join('  ')
    .trimEnd()
}
