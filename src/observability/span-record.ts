/** One finished span as plain data that crosses threads. Its attributes hold no credential. */
export interface SpanRecord {
  readonly traceId: string
  readonly spanId: string
  /** Absent: the trace begins here. */
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client'
  /** Milliseconds since the epoch, with their fraction. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, string | number>>
  readonly isError: boolean
}
