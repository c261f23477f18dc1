import type { Allow } from '../auth/decision.ts'
import type { ConnectionView } from './trusted-proxies.ts'

export interface UpstreamRequest {
  readonly rawHeaders: readonly string[]
  readonly connectionView: ConnectionView
  /** Host field, lower case, with its port where one was sent. */
  readonly authority: string
  /** The route's, lower case. */
  readonly removeHeaders: readonly string[]
  readonly edits?: Pick<Allow, 'removeHeaders' | 'setHeaders' | 'removeCookies'>
  /** Length of the body where it was buffered or rewritten: replaces Content-Length. */
  readonly bodyReplaced?: number
}
/** Raw name and value list for undici. */
export declare function upstreamRequestHeaders(input: UpstreamRequest): string[]
