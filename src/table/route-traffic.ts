/** What a route does to its requests and responses beside authorizing and forwarding them. */
export interface RouteTraffic {
  readonly redirect?: PermanentRedirect
  readonly sourceRange?: SourceRange
  readonly cors?: CorsPolicy
  readonly rateLimits?: readonly RouteRateLimit[]
  /** Greatest length of a request body in bytes. */
  readonly maximumBodyBytes?: number
  readonly rewrite?: PathRewrite
  /** Host of requests to the upstream, in lower case, in place of the client's. */
  readonly upstreamHost?: string
  readonly requestHeaders?: HeaderEdits
  readonly responseHeaders?: HeaderEdits
}

/** Every request is sent elsewhere for good. */
export interface PermanentRedirect {
  readonly status: 301 | 308
  /** Absolute. */
  readonly location: string
  /** The request's path and query come after `location`. */
  readonly appendsTarget: boolean
}

/** Networks of clients, as CIDR; a bare address is a network of one. `deny` wins; absent lists let everybody in. */
export interface SourceRange {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/** Cross-Origin Resource Sharing (WHATWG Fetch §3.2). */
export interface CorsPolicy {
  /** Serialized origins, `https://*.example.com` for those one label below, or `*` alone. */
  readonly allowOrigins: readonly string[]
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  /** Never together with `*`. */
  readonly allowCredentials: boolean
  /** How long browsers may remember a preflight. */
  readonly maxAgeSeconds: number
}

/** So many requests in each window, which begins with its first request. */
export interface RateLimit {
  readonly requests: number
  readonly windowSeconds: number
}

/** Whom a limit counts by. */
export interface RouteRateLimit extends RateLimit {
  readonly per: 'route' | 'address' | 'consumer' | 'credential'
}

/**
 * The path that the upstream sees: the template's texts and groups in turn. Groups are those of `pattern`; without it
 * group 1 is what follows the route's path and its slash. The query is kept.
 */
export interface PathRewrite {
  readonly template: readonly (string | number)[]
  /** RE2 syntax; matches the whole path as it was sent, or the request is answered 404. */
  readonly pattern?: string
  /** Sent as X-Forwarded-Prefix: what upstreams put before their links. */
  readonly forwardedPrefix?: string
}

/** Edits of a header section: first removed, then set in place of fields of that name, then added beside them. */
export interface HeaderEdits {
  /** Lower-case names. */
  readonly remove: readonly string[]
  readonly set: readonly (readonly [name: string, value: string])[]
  readonly add: readonly (readonly [name: string, value: string])[]
}
