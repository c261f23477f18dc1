import type { Route } from '../table/routing-table.ts'
import { AccessLines } from './access-line.ts'
import { readableAccessLine } from './readable-access-line.ts'
import type { RequestRecord, RequestRecorder } from './request-record.ts'

export type LineFormat = 'json' | 'readable' | 'coloured'

/** Plain data. */
export interface AccessLogOptions {
  /** Of routes that do not say, and of requests without a route. */
  readonly enabled: boolean
  /** Share of requests that are written; failures and refusals always are. From 0 to 1. */
  readonly sample: number
  readonly format: LineFormat
}

/** One line for each request whose route wants it. */
export class AccessLog implements RequestRecorder {
  readonly #options: AccessLogOptions
  readonly #write: (line: string) => void
  readonly #random: () => number
  readonly #lines = new AccessLines()

  /**
   * @param write Takes a line with its line feed.
   * @param random From 0, below 1.
   */
  constructor(options: AccessLogOptions, write: (line: string) => void, random = Math.random) {
    this.#options = options
    this.#write = write
    this.#random = random
  }

  wants(route: Route | undefined): boolean {
    return route?.accessLog ?? this.#options.enabled
  }

  finished(record: RequestRecord): void {
    const { format, sample } = this.#options
    if (sample < 1 && !isTrouble(record) && this.#random() >= sample) return
    this.#write(
      format === 'json' ? this.#lines.of(record) : readableAccessLine(record, format === 'coloured'),
    )
  }
}

/** What somebody will ask about. */
function isTrouble({ decision, status }: RequestRecord): boolean {
  if (status >= 500) return true
  return decision !== undefined && ['refuse', 'unavailable', 'close'].includes(decision.result)
}
