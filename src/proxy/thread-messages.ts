import type { MessagePort } from 'node:worker_threads'
import type { AccessLogOptions, LineFormat } from '../observability/access-log.ts'
import type { LineBatch } from '../observability/line-batches.ts'
import type { MetricFamily } from '../observability/request-metrics.ts'
import type { Snapshot } from '../table/routing-table.ts'
import type { SecretId } from '../table/secret-table.ts'
import type { SnapshotChange, SnapshotDifference } from '../table/snapshot-change.ts'
import type { ListeningPorts, ProxyServerOptions } from './proxy-server.ts'
import type { ReportQuestion, ThreadReport } from './thread-report.ts'

/** What a thread writes of its requests. Absent members: nothing. */
export interface ThreadLogs {
  readonly accessLog?: AccessLogOptions | undefined
  readonly auditLog?: LineFormat | undefined
  /** Of requests that come without a trace: the share that is traced, from 0 to 1. */
  readonly traceRatio?: number | undefined
}

/** What a proxy thread is started with; plain data but for the port. */
export interface ThreadData {
  readonly options: ProxyServerOptions
  readonly logs: ThreadLogs
  /** Published before the thread listens, so that a restarted one never answers from an empty table. */
  readonly publication: Omit<Publication, 'difference'> | undefined
  /** The thread's end of the broker. */
  readonly brokerPort: MessagePort
  /** The thread's end of where its requests are counted. */
  readonly rateLimitPort: MessagePort
}

/** A snapshot and its number among all that were published; threads acknowledge the number. */
export interface Publication {
  readonly sequence: number
  readonly snapshot: Snapshot
  /** Worked out once for all threads; absent: not known. */
  readonly difference?: SnapshotDifference
}

/**
 * A piece of the way from one publication to another, small enough that taking it holds up no request. A thread asks
 * for the next when it has taken one, and runs on the publication when it has the last.
 */
export interface PublicationPart {
  readonly sequence: number
  /** The publication that the changes are against; 0: nothing, so that they are a whole. */
  readonly base: number
  /** Counts from 0. */
  readonly index: number
  readonly changes: readonly SnapshotChange[]
  /** Of the last part only. */
  readonly last?: { readonly version: number; readonly sessionKeys: readonly SecretId[] }
}

export type ToThread =
  | { readonly kind: 'publish'; readonly part: PublicationPart }
  | { readonly kind: 'metrics'; readonly id: number }
  | { readonly kind: 'report'; readonly id: number; readonly question: ReportQuestion }
  /** So many characters of lines have come. */
  | { readonly kind: 'linesTaken'; readonly of: LineKind; readonly characters: number }
  /** To be answered at once. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'close'; readonly drainMs: number }

export type FromThread =
  | { readonly kind: 'listening'; readonly ports: ListeningPorts }
  | { readonly kind: 'notListening'; readonly message: string }
  /** The thread has taken a part and waits for the next. */
  | { readonly kind: 'partTaken'; readonly sequence: number; readonly index: number }
  | { readonly kind: 'published'; readonly sequence: number }
  /** The part fits nothing that the thread has: it needs the whole, and runs on what it had until then. */
  | { readonly kind: 'outOfStep'; readonly sequence: number }
  | { readonly kind: 'metrics'; readonly id: number; readonly families: readonly MetricFamily[] }
  | { readonly kind: 'report'; readonly id: number; readonly report: ThreadReport }
  | { readonly kind: 'beat' }
  | { readonly kind: 'lines'; readonly of: LineKind; readonly batch: LineBatch }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string }

/** Lines of the logs, or spans as JSON, one a line. */
export type LineKind = 'logs' | 'spans'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
