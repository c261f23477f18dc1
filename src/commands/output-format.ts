import { stringify } from 'yaml'

/** How a command tells what it found. */
export type OutputFormat = 'text' | 'json' | 'yaml'

/** Of a command that finds rows of the same kind. */
export type RowsFormat = OutputFormat | 'table'

/** For programs, and for people who like data. Members that are undefined are left out. */
export function printData(value: unknown, format: Exclude<OutputFormat, 'text'>): string {
  const json = JSON.stringify(value, null, 2)
  // Through JSON, so that shared objects do not become aliases.
  if (format === 'json') return `${json}\n`
  return stringify(JSON.parse(json), { aliasDuplicateObjects: false, lineWidth: 0 })
}
