import type { Route, VirtualHost } from './routing-table.ts'

/** Every route of a host, the default last. */
export function hostRoutes({ routes, defaultRoute }: VirtualHost): readonly Route[] {
  return defaultRoute === undefined ? routes : [...routes, defaultRoute]
}
