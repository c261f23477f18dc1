import type { AuthSnapshot } from '../auth/authorize.ts'
import type { RequestMetrics, RouteSeries } from '../observability/request-metrics.ts'
import { normalPath } from '../table/normal-path.ts'
import { createRouteIndex, type RouteIndex } from '../table/route-index.ts'
import type { Route, RoutingTable, Snapshot, UpstreamId, VirtualHost } from '../table/routing-table.ts'
import type { SecretId } from '../table/secret-table.ts'
import type { UpstreamPools } from './upstream-pools.ts'
import { affinityKeys, AffinityTokens } from './upstream/affinity.ts'
import type { UpstreamRotation } from './upstream/rotation.ts'

const NO_PATHS: ReadonlySet<string> = new Set()

/**
 * A snapshot made ready for requests: indexed, and with what belongs to its objects kept beside them. A request
 * takes one reference when it arrives and uses nothing else until its end.
 */
export class ActiveSnapshot implements AuthSnapshot {
  readonly version: number
  readonly table: RoutingTable
  readonly sessionKeys: readonly SecretId[]
  readonly index: RouteIndex
  readonly secret: (id: SecretId) => string | undefined
  readonly #pools: UpstreamPools
  readonly #metrics: RequestMetrics
  readonly #rotations = new Map<UpstreamId, UpstreamRotation>()
  readonly #series = new Map<Route | undefined, RouteSeries>()
  readonly #callbackPaths = new Map<VirtualHost, ReadonlySet<string>>()
  #affinityKeys: readonly Buffer[] | undefined

  constructor(snapshot: Snapshot, pools: UpstreamPools, metrics: RequestMetrics) {
    const secrets = new Map(Object.entries(snapshot.secrets))
    this.version = snapshot.version
    this.table = snapshot.table
    this.sessionKeys = snapshot.sessionKeys
    this.index = createRouteIndex(snapshot.table)
    this.secret = (id) => secrets.get(id)
    this.#pools = pools
    this.#metrics = metrics
  }

  /** An upstream that the table lacks has no endpoints. */
  rotation(id: UpstreamId): UpstreamRotation {
    let rotation = this.#rotations.get(id)
    if (rotation === undefined) {
      const upstream = this.table.upstreams[id] ?? { id, endpoints: [] }
      rotation = this.#pools.rotation(upstream, this.secret, (...of) => this.#affinityTokens(...of))
      this.#rotations.set(id, rotation)
    }
    return rotation
  }

  /** Where a request is counted; `undefined`: no route was found. */
  series(route: Route | undefined): RouteSeries {
    let series = this.#series.get(route)
    if (series === undefined) {
      series = this.#metrics.seriesOf(route)
      this.#series.set(route, series)
    }
    return series
  }

  /** Normal forms of the paths that the host's login policies name in `redirectUri`. */
  callbackPaths(host: VirtualHost): ReadonlySet<string> {
    if (host.loginPolicies.length === 0) return NO_PATHS
    let paths = this.#callbackPaths.get(host)
    if (paths === undefined) {
      paths = this.#readCallbackPaths(host)
      this.#callbackPaths.set(host, paths)
    }
    return paths
  }

  #affinityTokens(upstream: UpstreamId, origins: readonly string[]): AffinityTokens | undefined {
    this.#affinityKeys ??= affinityKeys(this.sessionKeys.map((id) => this.secret(id)))
    if (this.#affinityKeys.length === 0) return undefined
    return new AffinityTokens(upstream, origins, this.#affinityKeys)
  }

  #readCallbackPaths(host: VirtualHost): ReadonlySet<string> {
    const paths = new Set<string>()
    for (const id of host.loginPolicies) {
      const uri = this.table.policies[id]?.authorizationCode.redirectUri
      if (uri !== undefined && URL.canParse(uri)) paths.add(normalPath(new URL(uri).pathname))
    }
    return paths
  }
}
