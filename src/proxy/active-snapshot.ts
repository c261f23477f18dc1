import type { AuthSnapshot } from '../auth/authorize.ts'
import type { RequestMetrics, RouteSeries } from '../observability/request-metrics.ts'
import { normalPath } from '../table/normal-path.ts'
import type { LiveTable } from '../table/live-table.ts'
import type { RouteIndex } from '../table/route-index.ts'
import type { Route, Upstream, UpstreamId, VirtualHost, JudgingTable } from '../table/routing-table.ts'
import type { SecretId } from '../table/secret-table.ts'
import type { UpstreamPools } from './upstream-pools.ts'
import { affinityKeys, AffinityTokens } from './upstream/affinity.ts'
import type { UpstreamRotation } from './upstream/rotation.ts'

const NO_PATHS: ReadonlySet<string> = new Set()

/** What requests run on: a table, and what goes with it. */
export interface LiveSnapshot {
  readonly version: number
  readonly live: LiveTable
  readonly sessionKeys: readonly SecretId[]
}

/**
 * A snapshot made ready for requests, with what belongs to its objects kept beside them. A request
 * takes one reference when it arrives and uses nothing else until its end.
 */
export class ActiveSnapshot implements AuthSnapshot {
  readonly version: number
  readonly table: JudgingTable
  readonly sessionKeys: readonly SecretId[]
  readonly index: RouteIndex
  readonly secret: (id: SecretId) => string | undefined
  readonly #live: LiveTable
  readonly #pools: UpstreamPools
  readonly #metrics: RequestMetrics
  readonly #rotations = new Map<UpstreamId, UpstreamRotation>()
  readonly #series = new Map<Route | undefined, RouteSeries>()
  readonly #callbackPaths = new Map<VirtualHost, ReadonlySet<string>>()
  #affinityKeys: readonly Buffer[] | undefined

  constructor({ version, live, sessionKeys }: LiveSnapshot, pools: UpstreamPools, metrics: RequestMetrics) {
    this.version = version
    this.secret = (id) => live.secrets.get(id)
    this.table = live.judging
    this.sessionKeys = sessionKeys
    this.index = live
    this.#live = live
    this.#pools = pools
    this.#metrics = metrics
  }

  /** Undefined where the table lacks it. */
  upstream(id: UpstreamId): Upstream | undefined {
    return this.#live.upstreams.get(id)
  }

  /** An upstream that the table lacks has no endpoints. */
  rotation(id: UpstreamId): UpstreamRotation {
    let rotation = this.#rotations.get(id)
    if (rotation === undefined) {
      const upstream = this.upstream(id) ?? { id, endpoints: [] }
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
