import { OstiaryError } from '../errors.ts'
import { settingsSchema, type Settings } from './settings.ts'

/**
 * Judges flags as parsed. Reports every problem at once.
 *
 * @param flags Option values by camelCase name; absent ones get their defaults.
 * @throws {OstiaryError} ERR_SETTINGS_INVALID, with a line for each flag.
 */
export function readSettings(flags: Readonly<Record<string, unknown>>): Settings {
  const parsed = settingsSchema.safeParse({ ...podNamespace(), ...flags })
  if (parsed.success) return Object.freeze(parsed.data)
  const lines = parsed.error.issues.map((issue) => `${flagName(issue.path[0])}: ${issue.message}`)
  throw new OstiaryError('ERR_SETTINGS_INVALID', `${lines.join('\n')}\nostiary run --help lists the flags`)
}

/** Set by the chart through the downward API. */
function podNamespace(): { namespace?: string } {
  const namespace = process.env['POD_NAMESPACE']
  return namespace === undefined ? {} : { namespace }
}

function flagName(key: PropertyKey | undefined): string {
  return `--${String(key).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
