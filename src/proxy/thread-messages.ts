import type { MessagePort } from 'node:worker_threads'
import type { MetricFamily } from '../observability/request-metrics.ts'
import type { Snapshot } from '../table/routing-table.ts'
import type { ListeningPorts, ProxyServerOptions } from './proxy-server.ts'

/** What a proxy thread is started with; plain data but for the port. */
export interface ThreadData {
  readonly options: ProxyServerOptions
  /** Published before the thread listens, so that a restarted one never answers from an empty table. */
  readonly publication: Publication | undefined
  /** The thread's end of the broker. */
  readonly brokerPort: MessagePort
}

/** A snapshot and its number among all that were published; threads acknowledge the number. */
export interface Publication {
  readonly sequence: number
  readonly snapshot: Snapshot
}

export type ToThread =
  | { readonly kind: 'publish'; readonly publication: Publication }
  | { readonly kind: 'metrics'; readonly id: number }
  /** To be answered at once. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'close'; readonly drainMs: number }

export type FromThread =
  | { readonly kind: 'listening'; readonly ports: ListeningPorts }
  | { readonly kind: 'notListening'; readonly message: string }
  | { readonly kind: 'published'; readonly sequence: number }
  | { readonly kind: 'metrics'; readonly id: number; readonly families: readonly MetricFamily[] }
  | { readonly kind: 'beat' }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
