import { readTraceParent, type TraceParent } from '../trace-parent.ts'
import { SpanIds } from './span-ids.ts'

/** A request's place in a trace, and the spans that it will have. */
export interface RequestTrace {
  readonly traceId: string
  readonly isSampled: boolean
  /** The caller's span; absent: the trace begins here. */
  readonly parentSpanId: string | undefined
  readonly spanId: string
  /** What calls to authorization servers belong to. */
  readonly authorize: TraceParent
  /** What the upstream goes on from, as `traceparent` has it (W3C Trace Context §3.2). */
  readonly upstreamSpanId: string
  readonly traceparent: string
}

/**
 * Decides which requests are traced, as their callers have it: what a caller samples is sampled, what it does not sample
 * passes with its header untouched. Of requests without a trace a share is sampled, and all of them begin one, so that
 * upstreams do as is done here.
 */
export class RequestTraces {
  readonly #ratio: number
  readonly #random: () => number
  readonly #ids = new SpanIds()

  /**
   * @param ratio From 0 to 1.
   * @param random From 0, below 1.
   */
  constructor(ratio: number, random = Math.random) {
    this.#ratio = ratio
    this.#random = random
  }

  /** @returns `undefined`: the request passes with the trace context that it has. */
  begin(field: string | readonly string[] | undefined): RequestTrace | undefined {
    const parent = typeof field === 'string' ? readTraceParent(field) : undefined
    if (parent?.isSampled === false) return undefined
    const isSampled = parent !== undefined || this.#random() < this.#ratio
    const traceId = parent?.traceId ?? this.#ids.next(16)
    const upstreamSpanId = this.#ids.next(8)
    return {
      traceId,
      isSampled,
      parentSpanId: parent?.spanId,
      spanId: this.#ids.next(8),
      authorize: { traceId, spanId: this.#ids.next(8), isSampled },
      upstreamSpanId,
      traceparent: `00-${traceId}-${upstreamSpanId}-${isSampled ? '01' : '00'}`,
    }
  }
}

/**
 * Puts the trace context of a request to its upstream in place of the client's. A `tracestate` goes with the
 * `traceparent` that it came with, or not at all (§3.3.1.4).
 *
 * @param headers Names and values in turn; changed.
 */
export function replaceTraceContext(headers: string[], { parentSpanId, traceparent }: RequestTrace): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i]?.toLowerCase()
    if (name === 'traceparent' || (name === 'tracestate' && parentSpanId === undefined)) headers.splice(i, 2)
  }
  headers.push('traceparent', traceparent)
}
