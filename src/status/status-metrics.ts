/** What became of a write: `skipped` where the object was gone, or another by then; `refused` for good. */
export type WriteResult = 'written' | 'skipped' | 'refused' | 'failed'

/** Told of what the leader writes, for metrics. Must be quick and not throw. */
export interface StatusMetrics {
  wroteStatus(kind: string, result: WriteResult): void
  wroteEvent(result: WriteResult): void
}
