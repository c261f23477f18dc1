import * as z from 'zod'

const trueByDefault: z.ZodType<boolean> = z
  .enum(['true', 'false'], 'must be true or false')
  .default('true')
  .transform((text) => text === 'true')

function share(fallback: number): z.ZodType<number> {
  const message = 'must be a number from 0 to 1'
  return z.coerce.number({ message }).min(0, message).max(1, message).default(fallback)
}

/** What is written down of the process and of requests, and where. */
export const LOG_FIELDS = {
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  logFormat: z.enum(['auto', 'json', 'pretty']).default('auto'),
  /** Of routes whose Ingress does not say. */
  accessLog: trueByDefault,
  accessLogSample: share(1),
  auditLog: trueByDefault,
}

/** Their flags, and what `--help` says. */
export const LOG_FLAGS: readonly (readonly [flags: string, description: string])[] = [
  ['--log-level <level>', 'trace, debug, info, warn, error or fatal (default: info)'],
  ['--log-format <format>', 'json, pretty or auto: pretty on a terminal (default: auto)'],
  [
    '--access-log <boolean>',
    'a line for each request to routes without ostiary.dev/access-log (default: true)',
  ],
  [
    '--access-log-sample <share>',
    'from 0 to 1: of the requests that went well, so many are written (default: 1)',
  ],
  ['--audit-log <boolean>', 'a line for each login, logout, refresh and refusal (default: true)'],
]
