import type { Policy, PolicyId } from './policy.ts'
import type { RateLimit, RouteTraffic } from './route-traffic.ts'
import type { ClosedReason } from './reasons.ts'
import type { SecretId, SecretTable } from './secret-table.ts'
import type { Canary, ForwardingSettings, UpstreamSettings } from './upstream-settings.ts'

/** `namespace/service/port`: names an upstream in the table. */
export type UpstreamId = string

/** One address that serves an upstream. */
export interface Endpoint {
  /** IPv4, IPv6 without brackets, or a DNS name. */
  readonly address: string
  readonly port: number
}

/** The endpoints behind one port of a Service, sorted. Empty: requests are answered 503. */
export interface Upstream {
  readonly id: UpstreamId
  readonly endpoints: readonly Endpoint[]
  /** Absent: HTTP/1.1 in the clear, with the defaults. */
  readonly settings?: UpstreamSettings
}

/** What a route does with a request that matched it. */
export type RouteAction =
  | {
      readonly kind: 'forward'
      readonly upstream: UpstreamId
      readonly policies: readonly PolicyId[]
      /** Absent: the defaults. */
      readonly forwarding?: ForwardingSettings
      readonly canary?: Canary
    }
  /** Answers 503 to every request, preflights included. */
  | { readonly kind: 'closed'; readonly reason: ClosedReason; readonly message: string }

/** Kong's ACL: allowed groups, or denied ones; never both. */
export interface AccessControl {
  readonly allowGroups?: readonly string[]
  readonly denyGroups?: readonly string[]
}

/** One path of one host. */
export interface Route {
  /** `namespace/ingress#rule.path` or `namespace/ingress#default`: stable, for logs and metrics. */
  readonly id: string
  readonly ingress: { readonly namespace: string; readonly name: string }
  /** Service name as the Ingress has it; empty for resource backends. */
  readonly service: string
  readonly pathType: 'Exact' | 'Prefix'
  /** In the form of RFC 3986 §6.2.2; a Prefix has no trailing slash, but for `/` itself. */
  readonly path: string
  readonly action: RouteAction
  readonly accessControl?: AccessControl
  /** Plain HTTP is sent to HTTPS, before anything else is done for the request. */
  readonly sslRedirect?: true
  /** Value of Strict-Transport-Security on every response over HTTPS. */
  readonly hsts?: string
  /** Only with a certificate of the host's authorities; `optional`: or with none. */
  readonly clientCertificate?: 'required' | 'optional'
  readonly allowEncodedSlash: boolean
  readonly allowDoubleSlash: boolean
  /** Whether its requests are written to the access log. Absent: as the installation has it. */
  readonly accessLog?: boolean
  /** Lower-case names removed from requests here beside `RoutingTable.identityHeaders`. */
  readonly removeHeaders: readonly string[]
  /** Absent: requests and responses pass as they are. */
  readonly traffic?: RouteTraffic
}

/** Whose client certificates are taken. */
export interface ClientAuthorities {
  /** Digest of the rest: equal content has equal ids, and another content another id. */
  readonly id: string
  readonly caPem: string
  /** Where there is one, certificates of authorities without a list are refused. */
  readonly crlPem?: string
}

/** Everything that one host name serves. */
export interface VirtualHost {
  /** Lower case: `a.example.com`, `*.example.com`, or empty for hosts that no Ingress names. */
  readonly host: string
  /** In order of precedence: exact before prefix at equal length, longer first; see compiler/precedence.ts. */
  readonly routes: readonly Route[]
  /** Where no path matched; absent: 404. */
  readonly defaultRoute?: Route
  /** The login policies on this host, in id order: their reserved paths exist here. */
  readonly loginPolicies: readonly PolicyId[]
  /** A route with a login is on HTTPS only: so are the reserved paths and the callbacks. */
  readonly httpsLogin?: true
  /** Handshakes for this host ask for a certificate of these. */
  readonly clientAuthorities?: ClientAuthorities
  /** A named plugin that could be a login plugin is missing or invalid: reserved paths answer 503. */
  readonly reservedClosed: boolean
}

/** A certificate from a Secret; its private key is in the SecretTable. */
export interface Certificate {
  /** `namespace/name` of the Secret. */
  readonly id: string
  readonly certificateChainPem: string
  readonly privateKey: SecretId
}

/** Maps a server name to its certificate. */
export interface ServerName {
  /** Lower case, exact or `*.` wildcard; empty for the default. */
  readonly name: string
  readonly certificate: string
}

/** Who a consumer is: what claims are compared with, and what upstreams are told. */
export interface CompiledConsumer {
  /** UID, or `namespace/name` in files: `X-Consumer-ID`. */
  readonly id: string
  readonly username?: string
  readonly customId?: string
  readonly groups: readonly string[]
  /** Absent: those of its routes. */
  readonly rateLimits?: readonly RateLimit[]
}

/**
 * The compiled configuration: plain, serialisable, readonly, without any secret value. Lists are sorted, so equal
 * inputs in any order give equal tables.
 */
export interface RoutingTable {
  /** Sorted by host. */
  readonly virtualHosts: readonly VirtualHost[]
  readonly upstreams: Readonly<Record<UpstreamId, Upstream>>
  readonly policies: Readonly<Record<PolicyId, Policy>>
  /** By namespace, then sorted by id. */
  readonly consumers: Readonly<Record<string, readonly CompiledConsumer[]>>
  readonly certificates: Readonly<Record<string, Certificate>>
  readonly serverNames: readonly ServerName[]
}

/** What callers are judged by. */
export type JudgingTable = Pick<RoutingTable, 'policies' | 'consumers'>

/** What the proxy threads run on: one table and the secrets it names. Swapped whole. */
export interface Snapshot {
  /** Counts up with each publish; 0 is the empty table before the first compile. */
  readonly version: number
  readonly table: RoutingTable
  readonly secrets: SecretTable
  /** Newest first; the first seals, all open. Base64url of 32 bytes each, by SecretId. */
  readonly sessionKeys: readonly SecretId[]
}

/** The table before the first compile: matches nothing. */
export const EMPTY_TABLE: RoutingTable = {
  virtualHosts: [],
  upstreams: {},
  policies: {},
  consumers: {},
  certificates: {},
  serverNames: [],
}
