import { pino, type Logger } from 'pino'
import { default as pretty } from 'pino-pretty'
import type { LineFormat } from './access-log.ts'
import type { LogOutput } from './log-output.ts'

export interface LogOptions {
  readonly level: string
  readonly format: 'auto' | 'json' | 'pretty'
}

/**
 * The process's logger: JSON lines, or a readable form on a terminal. Members that could hold a
 * credential are cut by name as a last resort; nothing should pass them in the first place.
 */
export function createLog(options: LogOptions, output: LogOutput): Logger {
  const redact = { paths: ['*.authorization', '*.cookie', '*.token', '*.secret'], censor: '[redacted]' }
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact,
  }
  const format = lineFormatOf(options, output)
  if (format === 'json') return pino(settings, output)
  const colorize = format === 'coloured'
  return pino(settings, pretty({ colorize, ignore: 'pid,hostname', sync: true, destination: output }))
}

/** The form of lines that no logger writes. */
export function lineFormatOf({ format }: Pick<LogOptions, 'format'>, output: LogOutput): LineFormat {
  if (format === 'json' || (format === 'auto' && !output.isTerminal)) return 'json'
  return output.isTerminal ? 'coloured' : 'readable'
}
