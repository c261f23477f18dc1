import { OstiaryError } from '../errors.ts'
import { conflictsOf } from './conflicts.ts'
import { runOptions, variableOf } from './run-options.ts'
import { settingsSchema, type Settings } from './settings.ts'

/**
 * Judges flags as parsed. Reports every problem at once.
 *
 * @param flags Option values by camelCase name; absent ones get their defaults.
 * @throws {OstiaryError} ERR_SETTINGS_INVALID, with a line for each flag.
 */
export function readSettings(flags: Readonly<Record<string, unknown>>): Settings {
  const parsed = settingsSchema.safeParse({ ...pod(), ...proxies(), ...collector(), ...flags })
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map((issue) => `${flagName(issue.path[0])}: ${issue.message}`))
  }
  const problems = [...conflictsOf(parsed.data), ...variablesOfSwitches()]
  if (problems.length > 0) throw invalid(problems)
  return Object.freeze(parsed.data)
}

function invalid(lines: readonly string[]): OstiaryError {
  return new OstiaryError('ERR_SETTINGS_INVALID', `${lines.join('\n')}\nostiary run --help lists the flags`)
}

/** Whoever sets one means it: `OSTIARY_REQUIRE_PLUGIN=true` must not leave open what it means to close. */
function variablesOfSwitches(): string[] {
  return runOptions()
    .filter(({ envVar }) => envVar === undefined)
    .filter((option) => !['', 'false'].includes(process.env[variableOf(option)] ?? ''))
    .map((option) => `${variableOf(option)}: is not read; give the flag ${option.long}`)
}

/** Set by the chart through the downward API. */
function pod(): { namespace?: string; podName?: string } {
  const { POD_NAMESPACE: namespace, POD_NAME: podName } = process.env
  return { ...(namespace !== undefined && { namespace }), ...(podName !== undefined && { podName }) }
}

/** As every OpenTelemetry SDK reads it. Empty is unset. */
function collector(): { otlpEndpoint?: string } {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint = '' } = process.env
  return otlpEndpoint === '' ? {} : { otlpEndpoint }
}

const PROXY_VARIABLES = { httpProxy: 'http_proxy', httpsProxy: 'https_proxy', noProxy: 'no_proxy' } as const

/** The variables that every tool knows, in either case; the lower one first, as curl reads them. Empty is unset. */
function proxies(): Record<string, string> {
  const found = Object.entries(PROXY_VARIABLES).map(
    ([key, name]) => [key, process.env[name] || process.env[name.toUpperCase()] || ''] as const,
  )
  return Object.fromEntries(found.filter(([, value]) => value !== ''))
}

function flagName(key: PropertyKey | undefined): string {
  if (String(key) in PROXY_VARIABLES)
    return PROXY_VARIABLES[key as keyof typeof PROXY_VARIABLES].toUpperCase()
  return `--${String(key).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
