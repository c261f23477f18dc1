import type { AuditEvent, AuditObserver } from '../audit-event.ts'
import { BucketHistogram } from './bucket-histogram.ts'
import type { MetricFamily } from './request-metrics.ts'

/** Bytes; browsers take 4096 a cookie, and listeners 64 KiB of fields. */
const COOKIE_BOUNDS = [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768]

/**
 * What becomes of sessions in one thread: logins and logouts, operations on Redis, refreshes, and how large their cookies
 * are. The labels are stable words.
 */
export class SessionMetrics implements AuditObserver {
  readonly #operations = new LabelledCounts()
  readonly #refreshes = new LabelledCounts()
  readonly #logouts = new LabelledCounts()
  readonly #cookieBytes = new BucketHistogram(COOKIE_BOUNDS)
  #started = 0

  operated(op: string, outcome: string): void {
    this.#operations.count({ op, outcome })
  }

  refreshed(outcome: string): void {
    this.#refreshes.count({ outcome })
  }

  started(): void {
    this.#started += 1
  }

  sealed(cookieBytes: number): void {
    this.#cookieBytes.observe(cookieBytes)
  }

  happened({ event, channel, outcome }: AuditEvent): void {
    if (event === 'logout') this.#logouts.count({ channel: channel ?? 'browser', outcome })
  }

  families(): MetricFamily[] {
    const counter = (name: string, help: string, values: MetricFamily['values']): MetricFamily => ({
      name,
      help,
      type: 'counter',
      aggregator: 'sum',
      values,
    })
    const cookieBytes = 'ostiary_session_cookie_bytes'
    return [
      counter(
        'ostiary_session_store_operations_total',
        'Operations on the Redis that keeps sessions: ok, unavailable',
        this.#operations.values(),
      ),
      counter(
        'ostiary_session_refreshes_total',
        'Refreshes of the tokens of sessions: refreshed, ended (the session is over), refused, unavailable',
        this.#refreshes.values(),
      ),
      counter('ostiary_sessions_started_total', 'Logins that began a session', [
        { value: this.#started, labels: {} },
      ]),
      counter(
        'ostiary_logouts_total',
        'Logouts, by how they came: browser, front, back; ok, refused, unavailable',
        this.#logouts.values(),
      ),
      {
        name: cookieBytes,
        help: 'Size of the cookies of a session, names included, as they are written',
        type: 'histogram',
        aggregator: 'sum',
        values: this.#cookieBytes.samples(cookieBytes, {}),
      },
    ]
  }
}

/** Counts by labels, of which there are few. */
class LabelledCounts {
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>()

  count(labels: Readonly<Record<string, string>>): void {
    const key = Object.values(labels).join(' ')
    const known = this.#counts.get(key)
    if (known === undefined) this.#counts.set(key, { labels, value: 1 })
    else known.value += 1
  }

  values(): MetricFamily['values'] {
    return [...this.#counts.values()].map(({ labels, value }) => ({ labels, value }))
  }
}
