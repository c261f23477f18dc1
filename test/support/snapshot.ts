import {
  EMPTY_TABLE,
  type Endpoint,
  type Route,
  type RoutingTable,
  type Snapshot,
  type VirtualHost,
} from '../../src/table/routing-table.ts'

/** A route to the upstream `default/<service>/80`, open unless told otherwise. */
export function aRoute(service: string, overrides: Partial<Route> = {}): Route {
  return {
    id: `default/${service}#0.0`,
    ingress: { namespace: 'default', name: service },
    service,
    pathType: 'Prefix',
    path: '/',
    action: { kind: 'forward', upstream: `default/${service}/80`, policies: [] },
    allowEncodedSlash: false,
    allowDoubleSlash: false,
    removeHeaders: [],
    ...overrides,
  }
}

export function aHost(
  host: string,
  routes: readonly Route[],
  overrides: Partial<VirtualHost> = {},
): VirtualHost {
  return { host, routes, loginPolicies: [], reservedClosed: false, ...overrides }
}

/** A table of hosts, with upstreams `default/<service>/80` on ports of this machine. */
export function aTable(
  hosts: readonly VirtualHost[],
  services: Readonly<Record<string, readonly (number | Endpoint)[]>>,
  overrides: Partial<RoutingTable> = {},
): RoutingTable {
  const upstreams = Object.entries(services).map(([service, endpoints]) => {
    const id = `default/${service}/80`
    return [id, { id, endpoints: endpoints.map(anEndpoint) }]
  })
  return { ...EMPTY_TABLE, virtualHosts: hosts, upstreams: Object.fromEntries(upstreams), ...overrides }
}

function anEndpoint(endpoint: number | Endpoint): Endpoint {
  return typeof endpoint === 'number' ? { address: '127.0.0.1', port: endpoint } : endpoint
}

let version = 0

/** Later snapshots have higher versions. */
export function aSnapshot(table: RoutingTable, secrets: Snapshot['secrets'] = {}): Snapshot {
  version += 1
  return { version, table, secrets, sessionKeys: [] }
}
