import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'
import { findProgram, startServer, type Peer, type PeerWorld } from './peer.ts'

const TYPES = 'type.googleapis.com/envoy.extensions'

/** Envoy with `jwt_authn`, once with its cache of verified tokens and once without. */
export const envoy: Peer = {
  scenarios: [
    { name: 'Envoy, no guard', path: '/open', load: 'open' },
    { name: 'Envoy jwt_authn with its cache', path: '/cached', load: 'one token' },
    { name: 'Envoy jwt_authn with its cache, 1,000 tokens', path: '/cached', load: 'many tokens' },
    { name: 'Envoy jwt_authn without cache', path: '/bearer', load: 'one token' },
  ],
  async start(world, port) {
    const program = findProgram('envoy', 'ENVOY')
    if (program === undefined) return undefined
    const file = path.join(world.folder, 'envoy.yaml')
    writeFileSync(file, stringify(configuration(world, port)))
    const quiet = ['--log-level', 'error', '--disable-hot-restart']
    const serving = await startServer(program, ['-c', file, '--concurrency', '1', ...quiet], port)
    const version = /\/(\d+\.\d+\.\d+)\//.exec(spawnSync(program, ['--version']).stdout.toString())?.[1]
    return { version: `Envoy ${version ?? ''}`, port, processes: [serving] }
  },
}

function configuration(world: PeerWorld, port: number): object {
  const upstream = { socket_address: { address: '127.0.0.1', port_value: world.upstreamPort } }
  const listener = {
    name: 'front',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters: [connectionManager(world)] }],
  }
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: upstream } }] }]
  const cluster = { name: 'back', type: 'STATIC', load_assignment: { cluster_name: 'back', endpoints } }
  return { static_resources: { listeners: [listener], clusters: [cluster] } }
}

function connectionManager(world: PeerWorld): object {
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'back' } }]
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'front',
      route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
      http_filters: [
        tokens(world),
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': `${TYPES}.filters.http.router.v3.Router` },
        },
      ],
    },
  }
}

function tokens({ issuer, audience, keySet }: PeerWorld): object {
  const provider = {
    issuer,
    audiences: [audience],
    forward: true,
    local_jwks: { inline_string: keySet },
  }
  return {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      '@type': `${TYPES}.filters.http.jwt_authn.v3.JwtAuthentication`,
      providers: { plain: provider, cached: { ...provider, jwt_cache_config: { jwt_cache_size: 10_000 } } },
      rules: [
        { match: { prefix: '/bearer' }, requires: { provider_name: 'plain' } },
        { match: { prefix: '/cached' }, requires: { provider_name: 'cached' } },
      ],
    },
  }
}
