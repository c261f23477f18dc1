import type { RouteState, RouteSummary } from '../../admin/dashboard/dashboard-model.ts'
import type { Route, RoutingTable, Upstream } from '../../table/routing-table.ts'
import { searchText, type Searchable } from './page-of.ts'

/** A route as the table has it, with what is shown of it whatever the traffic. */
export interface ListedRoute extends Searchable {
  readonly route: Route
  /** Absent: it is closed, or its Service has no endpoint. */
  readonly upstream: Upstream | undefined
  readonly shown: Omit<RouteSummary, 'endpoints' | 'requests' | 'serverErrors'>
}

/** The routes of a table, arranged for whoever looks for some. Made once for each table. */
export interface RouteCatalogue {
  /** In the order of the table. */
  readonly routes: readonly ListedRoute[]
  readonly byState: Readonly<Record<RouteState, readonly ListedRoute[]>>
  /** A default backend serves several hosts with one id: the first of them. */
  readonly byId: ReadonlyMap<string, ListedRoute>
  /** By the plugin that guards them. */
  readonly byPlugin: ReadonlyMap<string, readonly ListedRoute[]>
}

export function catalogueOf(table: RoutingTable): RouteCatalogue {
  const routes = table.virtualHosts.flatMap(({ host, routes: own, defaultRoute }) => {
    const all = defaultRoute === undefined ? own : [...own, defaultRoute]
    return all.map((route) => listedRoute(route, host, table))
  })
  const byPlugin = Map.groupBy(
    routes.flatMap((listed) => listed.shown.plugins.map((plugin) => ({ plugin, listed }))),
    ({ plugin }) => plugin,
  )
  return {
    routes,
    byState: {
      open: routes.filter(({ shown }) => shown.state === 'open'),
      guarded: routes.filter(({ shown }) => shown.state === 'guarded'),
      closed: routes.filter(({ shown }) => shown.state === 'closed'),
    },
    byId: new Map(routes.toReversed().map((listed) => [listed.route.id, listed])),
    byPlugin: new Map([...byPlugin].map(([plugin, of]) => [plugin, of.map(({ listed }) => listed)])),
  }
}

function listedRoute(route: Route, host: string, table: RoutingTable): ListedRoute {
  const { action, id, ingress, path, pathType } = route
  const isClosed = action.kind === 'closed'
  const state: RouteState = isClosed ? 'closed' : action.policies.length > 0 ? 'guarded' : 'open'
  const plugins = isClosed ? [] : action.policies
  const upstream = isClosed ? '' : upstreamText(action.upstream)
  const closed = isClosed ? { reason: action.reason, message: action.message } : undefined
  return {
    route,
    upstream: isClosed ? undefined : table.upstreams[action.upstream],
    shown: { id, host, path, pathType, ingress, upstream, plugins, state, ...(closed && { closed }) },
    text: searchText([
      `${host}${path}`,
      `${ingress.namespace}/${ingress.name}`,
      id,
      upstream === '' ? route.service : upstream,
      state,
      closed?.reason,
      ...plugins,
    ]),
  }
}

/** `namespace/service/port` as `service:port`; whatever else it is stays. */
function upstreamText(id: string): string {
  const [, service, port] = id.split('/')
  return service === undefined || port === undefined ? id : `${service}:${port}`
}
