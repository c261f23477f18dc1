/** version, trace id, parent id, flags; later versions may append more (W3C Trace Context §3.2). */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/

/** A caller's place in a trace. */
export interface TraceParent {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
}

/** Reads a `traceparent` field; `undefined`: there is none, or it is none. */
export function readTraceParent(field: string | undefined): TraceParent | undefined {
  if (field === undefined) return undefined
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(field) ?? []
  if (traceId === '' || (field.startsWith('00') && field.length !== 55)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
