import type { IncomingHttpHeaders } from 'node:http'

/** What is known of the client's connection once trusted proxies have been asked. */
export interface ConnectionView {
  readonly clientAddress: string
  readonly scheme: 'http' | 'https'
  /** X-Forwarded-For as it goes upstream. */
  readonly forwardedFor: string
  readonly forwardedHost?: string
  readonly forwardedPort?: string
  readonly forwardedProto: string
  /** The peer is a trusted proxy: its other forwarding headers survive. */
  readonly trusted: boolean
}
export interface TrustedProxies {
  view(peerAddress: string, encrypted: boolean, headers: IncomingHttpHeaders): ConnectionView
}
export declare function createTrustedProxies(cidrs: readonly string[]): TrustedProxies
