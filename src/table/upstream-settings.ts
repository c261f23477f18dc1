import type { SecretId } from './secret-table.ts'

/** What the endpoints of an upstream speak. HTTP and HTTPS are HTTP/1.1, the others HTTP/2 alone. */
export type BackendProtocol = 'HTTP' | 'HTTPS' | 'H2C' | 'GRPC' | 'GRPCS'

/** How the endpoints of an upstream prove who they are, and who asks them. */
export interface UpstreamTls {
  /** The name that is asked for (SNI) and that their certificate must carry; never taken from a request. */
  readonly serverName: string
  /** PEM. Absent: the system's. */
  readonly certificateAuthorities?: string
  readonly clientCertificate?: { readonly certificateChainPem: string; readonly privateKey: SecretId }
  /** Any certificate is taken. */
  readonly insecureSkipVerify: boolean
}

/** How the endpoints of an upstream are reached, whatever the request. Absent members: the defaults. */
export interface UpstreamSettings {
  readonly protocol: BackendProtocol
  /** There for HTTPS and GRPCS, and for no other. */
  readonly tls?: UpstreamTls
  /** Until a connection stands, handshake included; also how long a request waits for a free connection. */
  readonly connectTimeoutMs?: number
  /** Connections to each endpoint, for each proxy thread. */
  readonly maxConnections?: number
  /** Requests of one thread that may wait for a free connection; there with `maxConnections`. */
  readonly maxPendingRequests?: number
}

/** Why a request may be sent once more; see `ForwardingSettings.retries`. */
export type RetryCondition = 'connect-failure' | 'reset' | '502' | '503' | '504'

/** How a request is treated on its way to an upstream. Absent members: the defaults. */
export interface ForwardingSettings {
  /** Silence of the upstream: before its headers, and inside its body. */
  readonly readTimeoutMs?: number
  /** How long the upstream may take no byte of a body. */
  readonly sendTimeoutMs?: number
  /** From the first attempt to the last byte of the response. */
  readonly requestTimeoutMs?: number
  /** `attempts` beside the first. */
  readonly retries?: { readonly attempts: number; readonly on: readonly RetryCondition[] }
  /** Absent: round robin. */
  readonly loadBalancing?: 'least-requests'
  /** The cookie that keeps a client at an endpoint; without the prefix that https gives it. */
  readonly affinityCookie?: string
  /** The upstream gets a Forwarded field (RFC 7239) beside X-Forwarded-*. */
  readonly forwardedHeader?: true
}

/** A second upstream that gets a part of a route's requests, after the same guard. */
export interface Canary {
  readonly upstream: string
  readonly forwarding?: ForwardingSettings
  /** Percent of the requests that no header decides on. */
  readonly weight: number
  /** In lower case. Without a value: `always` and `never` decide. */
  readonly header?: { readonly name: string; readonly value?: string }
}
