import type { Route, UpstreamId } from '../table/routing-table.ts'
import type { DecisionLabels } from './request-metrics.ts'
import type { RequestTrace } from './request-trace.ts'

/**
 * What became of one request, once it is over. Plain data that keeps nothing of a snapshot alive but its route. Holds no
 * query, cookie or credential; `authority`, `path` and `userAgent` are the client's words, unchecked.
 *
 * Times that end in `At` are on the monotonic clock; 0: it never came to that.
 */
export interface RequestRecord {
  /** Milliseconds since the epoch. */
  readonly endedAtEpochMs: number
  readonly startedAt: number
  /** Authorization began to look at the request. */
  readonly authorizingAt: number
  readonly authorizedAt: number
  /** It was ready to be sent to its upstream: waiting for a place there comes after. */
  readonly sentAt: number
  /** The upstream's response fields were there. */
  readonly answeredAt: number
  /** The upstream's part was over, well or not. */
  readonly upstreamEndedAt: number
  /** The client had all of the response, or had left. Of a WebSocket: it was closed. */
  readonly endedAt: number
  readonly clientAddress: string
  readonly scheme: 'http' | 'https'
  readonly protocol: string
  readonly method: string
  /** Host and port; empty where the request was refused before it was read. */
  readonly authority: string
  /** As sent, without its query. */
  readonly path: string
  readonly userAgent: string | undefined
  /** Of the trace that it belongs to, if any. */
  readonly traceId: string | undefined
  /** Absent: no spans are made of it. */
  readonly trace: RequestTrace | undefined
  readonly route: Route | undefined
  /** As sent to the client; 499: it left before an answer. */
  readonly status: number
  /** Why the answer is not the upstream's, or not whole: a stable word. Empty: the upstream answered. */
  readonly reason: string
  /** The last one. Absent: nobody had to decide. */
  readonly decision: DecisionLabels | undefined
  /** Username, or id of one that has none. */
  readonly consumer: string | undefined
  readonly upstream: UpstreamId | undefined
  /** `address:port` that the request was sent to last. */
  readonly endpoint: string | undefined
  /** Of the last attempt; 0: none came. */
  readonly upstreamStatus: number
  /** How often the request was sent. */
  readonly attempts: number
  /** Of its body, or of its WebSocket. */
  readonly requestBytes: number
  readonly responseBytes: number
}

/** Told of every request once it is over. */
export interface RequestRecorder {
  /** Whether it is to be told of a request to this route. */
  wants(route: Route | undefined, trace: RequestTrace | undefined): boolean
  finished(record: RequestRecord): void
}
