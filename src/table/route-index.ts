import type { Route, VirtualHost } from './routing-table.ts'

/** A virtual host with its routes by path, so that matching does not grow with their number. */
export interface IndexedHost {
  readonly virtualHost: VirtualHost
  readonly exactPaths: ReadonlyMap<string, Route>
  /** By path without trailing slash; `/` itself is the empty string. */
  readonly prefixes: ReadonlyMap<string, Route>
  /** Bounds the work on a long request path: no prefix is longer than this. */
  readonly longestPrefix: number
}

/** Virtual hosts arranged for look-ups. */
export interface RouteIndex {
  /** By host; the host that serves names of no Ingress is the empty string. */
  readonly exactHosts: HostLookup
  /** `*.example.com` by `.example.com`. */
  readonly wildcardHosts: HostLookup
}

export interface HostLookup {
  readonly size: number
  get(host: string): IndexedHost | undefined
}

/**
 * Indexes a virtual host. What `findRoute` finds is the first of its routes that matches, given that they are listed in
 * order of precedence; of two with an equal type and path, the first counts.
 */
export class HostIndexer {
  readonly #exactPaths = new Map<string, Route>()
  readonly #prefixes = new Map<string, Route>()
  readonly #indexed: { -readonly [K in keyof IndexedHost]: IndexedHost[K] }

  constructor(virtualHost: VirtualHost) {
    this.#indexed = { virtualHost, exactPaths: NO_ROUTES, prefixes: NO_ROUTES, longestPrefix: 0 }
    this.#index(virtualHost.routes)
  }

  /** Knows of all routes that were added so far. */
  get indexed(): IndexedHost {
    return this.#indexed
  }

  /** More routes, behind those before. */
  add(routes: readonly Route[]): void {
    const { virtualHost } = this.#indexed
    this.#indexed.virtualHost = { ...virtualHost, routes: [...virtualHost.routes, ...routes] }
    this.#index(routes)
  }

  #index(routes: readonly Route[]): void {
    for (const route of routes) {
      if (route.pathType === 'Exact') {
        setFirst(this.#exactPaths, route.path, route)
      } else {
        const prefix = route.path === '/' ? '' : route.path
        setFirst(this.#prefixes, prefix, route)
        this.#indexed.longestPrefix = Math.max(this.#indexed.longestPrefix, prefix.length)
      }
    }
    // Most hosts have but one kind, and there are many hosts.
    if (this.#exactPaths.size > 0) this.#indexed.exactPaths = this.#exactPaths
    if (this.#prefixes.size > 0) this.#indexed.prefixes = this.#prefixes
  }
}

const NO_ROUTES: ReadonlyMap<string, Route> = new Map()

function setFirst<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (!map.has(key)) map.set(key, value)
}

/**
 * The virtual host that alone decides on requests for a host: the exact one, else the wildcard whose star stands for
 * its first label, else the one for hosts that no Ingress names.
 *
 * @param host lower case, without port and trailing dot
 */
export function findVirtualHost(index: RouteIndex, host: string): IndexedHost | undefined {
  const exact = index.exactHosts.get(host)
  if (exact !== undefined) return exact
  if (index.wildcardHosts.size > 0) {
    const dot = host.indexOf('.')
    const wildcard = dot > 0 ? index.wildcardHosts.get(host.slice(dot)) : undefined
    if (wildcard !== undefined) return wildcard
  }
  return index.exactHosts.get('')
}

/**
 * The route for a path: the longest that matches, Exact before Prefix at equal length, else the host's default.
 * Prefixes match whole segments.
 *
 * @param path in normal form (`normalPath`), without query
 */
export function findRoute(host: IndexedHost, path: string): Route | undefined {
  return host.exactPaths.get(path) ?? longestPrefixRoute(host, path) ?? host.virtualHost.defaultRoute
}

function longestPrefixRoute(host: IndexedHost, path: string): Route | undefined {
  const { prefixes, longestPrefix } = host
  if (prefixes.size === 0) return undefined
  if (path.length <= longestPrefix) {
    const whole = prefixes.get(path)
    if (whole !== undefined) return whole
  }
  // The slash that ends the longest segment-wise prefix still short enough to be in the map.
  let end = path.lastIndexOf('/', longestPrefix)
  while (end > 0) {
    const route = prefixes.get(path.slice(0, end))
    if (route !== undefined) return route
    end = path.lastIndexOf('/', end - 1)
  }
  return end === 0 ? prefixes.get('') : undefined
}
