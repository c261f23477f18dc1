import type { Route, RoutingTable, VirtualHost } from './routing-table.ts'

export interface IndexedHost {
  readonly virtualHost: VirtualHost
}
export interface RouteIndex {
  readonly exactHosts: ReadonlyMap<string, IndexedHost>
}
export declare function createRouteIndex(table: RoutingTable): RouteIndex
export declare function findVirtualHost(index: RouteIndex, host: string): IndexedHost | undefined
export declare function findRoute(host: IndexedHost, path: string): Route | undefined
