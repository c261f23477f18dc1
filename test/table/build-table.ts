import { liveTableOf } from '../../src/table/live-table.ts'
import type { RouteIndex } from '../../src/table/route-index.ts'
import {
  EMPTY_TABLE,
  type Route,
  type RoutingTable,
  type VirtualHost,
} from '../../src/table/routing-table.ts'

/** A route that forwards without policies; `Exact /a` or `Prefix /a`. */
export function route(pattern: `${'Exact' | 'Prefix'} /${string}`, overrides: Partial<Route> = {}): Route {
  const [pathType, path] = pattern.split(' ') as ['Exact' | 'Prefix', string]
  return {
    id: pattern,
    ingress: { namespace: 'default', name: 'web' },
    service: 'web',
    pathType,
    path,
    action: { kind: 'forward', upstream: 'default/web/80', policies: [] },
    allowEncodedSlash: false,
    allowDoubleSlash: false,
    removeHeaders: [],
    ...overrides,
  }
}

/** A virtual host whose routes are in order of precedence already. */
export function virtualHost(host: string, routes: readonly Route[], defaultRoute?: Route): VirtualHost {
  return {
    host,
    routes,
    loginPolicies: [],
    reservedClosed: false,
    ...(defaultRoute !== undefined && { defaultRoute }),
  }
}

/** A table of these hosts and nothing else. */
export function tableOf(...virtualHosts: readonly VirtualHost[]): RoutingTable {
  return { ...EMPTY_TABLE, virtualHosts }
}

/** A table as proxy threads look things up in it. */
export function indexOf(table: RoutingTable): RouteIndex {
  return liveTableOf({ version: 1, table, secrets: {}, sessionKeys: [] })
}
