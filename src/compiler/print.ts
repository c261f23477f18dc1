import { createHash } from 'node:crypto'
import { stringify } from 'yaml'
import type { Diagnostic, ObjectStatus } from '../table/diagnostic.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import type { CompileResult } from './options.ts'

/** Table, statuses and diagnostics as one document; secrets by name only. */
export function printResult(
  { table, statuses, diagnostics }: CompileResult,
  format: 'json' | 'yaml' = 'yaml',
): string {
  const printed = { table, statuses, diagnostics }
  return format === 'json' ? `${JSON.stringify(printed, printable, 2)}\n` : toYaml(printed)
}

/**
 * The table as YAML: the same for the same table, certificates by fingerprint and secrets by name only.
 *
 * @param host Only the virtual host of that name; default all of the table.
 * @returns Nothing where there is no such host.
 */
export function printTable(table: RoutingTable): string
export function printTable(table: RoutingTable, host: string | undefined): string | undefined
export function printTable(table: RoutingTable, host?: string): string | undefined {
  if (host === undefined) return toYaml(table)
  const found = table.virtualHosts.find((each) => each.host === host)
  return found && toYaml(found)
}

/** Statuses and diagnostics as YAML. */
export function printFindings(statuses: readonly ObjectStatus[], diagnostics: readonly Diagnostic[]): string {
  return toYaml({ statuses, diagnostics })
}

function toYaml(value: unknown): string {
  // Through JSON: it drops what is undefined, and shared objects must not become aliases.
  const plain: unknown = JSON.parse(JSON.stringify(value, printable))
  return stringify(plain, { aliasDuplicateObjects: false, lineWidth: 0 })
}

/**
 * Certificates are public but long. The digest in a revision is left out because it may cover a secret, and a weak
 * secret could be guessed from it.
 */
function printable(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (key === 'revision') return value.slice(0, value.lastIndexOf(':'))
  if (!value.startsWith('-----BEGIN ')) return value
  return `sha256:${createHash('sha256').update(value).digest('hex')}`
}
