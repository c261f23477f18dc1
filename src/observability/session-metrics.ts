import type { MetricFamily } from './request-metrics.ts'

/** What becomes of sessions in one thread: operations on Redis, and refreshes. The labels are stable words. */
export class SessionMetrics {
  readonly #operations = new Map<string, { readonly labels: Record<string, string>; count: number }>()
  readonly #refreshes = new Map<string, number>()

  operated(op: string, outcome: string): void {
    const key = `${op} ${outcome}`
    const entry = this.#operations.get(key)
    if (entry === undefined) this.#operations.set(key, { labels: { op, outcome }, count: 1 })
    else entry.count += 1
  }

  refreshed(outcome: string): void {
    this.#refreshes.set(outcome, (this.#refreshes.get(outcome) ?? 0) + 1)
  }

  families(): MetricFamily[] {
    return [
      {
        name: 'ostiary_session_store_operations_total',
        help: 'Operations on the Redis that keeps sessions',
        type: 'counter',
        aggregator: 'sum',
        values: [...this.#operations.values()].map(({ labels, count }) => ({ value: count, labels })),
      },
      {
        name: 'ostiary_session_refreshes_total',
        help: 'Refreshes of the tokens of sessions',
        type: 'counter',
        aggregator: 'sum',
        values: [...this.#refreshes].map(([outcome, count]) => ({ value: count, labels: { outcome } })),
      },
    ]
  }
}
