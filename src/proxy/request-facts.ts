import type { IncomingMessage } from 'node:http'
import type { RequestFacts } from '../auth/request-facts.ts'
import type { RequestAuthority } from './request-authority.ts'
import type { RequestTarget } from './request-target.ts'
import type { ConnectionView } from './trusted-proxies.ts'

export interface ProxyRequestFacts extends RequestFacts {
  /** The whole body where `form()` has read it: send this upstream, the request has nothing more to give. */
  readonly bufferedBody: Buffer | undefined
}
export declare function createRequestFacts(
  request: IncomingMessage,
  authority: RequestAuthority,
  target: RequestTarget,
  view: ConnectionView,
): ProxyRequestFacts
