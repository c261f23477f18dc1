import type * as z from 'zod'
import { duration } from './duration.ts'
import { wholeNumber } from './whole-number.ts'

const HOUR_SECONDS = 3600

function time(): z.ZodType<number> {
  return duration(HOUR_SECONDS).refine((milliseconds) => milliseconds > 0, 'must be longer than nothing')
}

/** What clients may take from each proxy thread; milliseconds where it is a time. */
export const CLIENT_LIMIT_FIELDS = {
  /** Sessions travel in cookies, which have to fit. */
  maxHeaderBytes: wholeNumber(8192, 1_048_576).default(65_536),
  maxHeaderCount: wholeNumber(0, 10_000).default(100),
  maxUrlBytes: wholeNumber(256, 1_048_576).default(16_384),
  headerTimeout: time().default(30_000),
  bodyTimeout: time().default(60_000),
  keepAliveTimeout: time().default(75_000),
  maxConnections: wholeNumber(0, 1_000_000).default(20_000),
  maxRequests: wholeNumber(0, 1_000_000).default(10_000),
}

/** Their flags, and what `--help` says. */
export const CLIENT_LIMIT_FLAGS: readonly (readonly [flags: string, description: string])[] = [
  ['--max-header-bytes <bytes>', 'request line and fields together, else 431 (default: 65536)'],
  ['--max-header-count <count>', 'fields of a request, else 431; 0: any number (default: 100)'],
  ['--max-url-bytes <bytes>', 'request target, else 414 (default: 16384)'],
  ['--header-timeout <duration>', 'until the fields of a request are whole, else 408 (default: 30s)'],
  [
    '--body-timeout <duration>',
    'how long a client may pause inside a body, else 408, or take nothing of an answer (default: 60s)',
  ],
  ['--keep-alive-timeout <duration>', 'how long a connection without a request is kept (default: 75s)'],
  [
    '--max-connections <count>',
    'connections of each thread, others are closed; 0: any number (default: 20000)',
  ],
  ['--max-requests <count>', 'requests under way in each thread, else 503; 0: any number (default: 10000)'],
]
