import { pino, type Logger } from 'pino'
import { default as pretty } from 'pino-pretty'

export interface LogOptions {
  readonly level: string
  readonly format: 'auto' | 'json' | 'pretty'
}

/**
 * The process's logger: JSON lines on standard output, or a readable form on a terminal. Members that could hold a
 * credential are cut by name as a last resort; nothing should pass them in the first place.
 */
export function createLog(options: LogOptions): Logger {
  const redact = { paths: ['*.authorization', '*.cookie', '*.token', '*.secret'], censor: '[redacted]' }
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact,
  }
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && process.stdout.isTTY)
  if (!isPretty) return pino(settings)
  return pino(settings, pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', sync: true }))
}
