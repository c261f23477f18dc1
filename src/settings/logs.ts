import * as z from 'zod'

const trueByDefault: z.ZodType<boolean> = z
  .enum(['true', 'false'], 'must be true or false')
  .default('true')
  .transform((text) => text === 'true')

function share(fallback: number): z.ZodType<number> {
  const message = 'must be a number from 0 to 1'
  return z
    .string()
    .min(1, message)
    .transform(Number)
    .pipe(z.number({ message }).min(0, message).max(1, message))
    .default(fallback)
}

/** What is written down of the process and of requests, and where. */
export const LOG_FIELDS = {
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  logFormat: z.enum(['auto', 'json', 'pretty']).default('auto'),
  /** Of routes whose Ingress does not say. */
  accessLog: trueByDefault,
  accessLogSample: share(1),
  auditLog: trueByDefault,
  /** Of an OpenTelemetry collector, for OTLP over HTTP. Absent: nothing is traced. */
  otlpEndpoint: z
    .string()
    .refine(
      (text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''),
      'must be the URL of a collector, as http://collector:4318',
    )
    .optional(),
  /** Of requests that come without a trace. */
  traceSampleRatio: share(1),
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
  [
    '--otlp-endpoint <url>',
    'collector of traces, OTLP over HTTP, as http://collector:4318 (default: OTEL_EXPORTER_OTLP_ENDPOINT, else nothing is traced)',
  ],
  [
    '--trace-sample-ratio <share>',
    'from 0 to 1: of the requests that come without a trace so many are traced (default: 1)',
  ],
]
