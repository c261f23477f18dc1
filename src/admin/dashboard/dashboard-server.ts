import { fastify, type FastifyInstance } from 'fastify'
import type { DashboardSource } from './dashboard-model.ts'

export interface DashboardDependencies {
  readonly source: DashboardSource
  /** Hosts that it is served on beside this machine's own names, without port. */
  readonly allowedHosts: readonly string[]
  /** Where the data plane of this process listens. */
  readonly dataPlane: DataPlaneAddress
  /** Told of what a page failed with and does not show. */
  readonly onFailure?: (error: unknown) => void
}

export interface DataPlaneAddress {
  /** An address that is connected to, not one that is listened on. */
  readonly host: string
  readonly httpPort?: number
  readonly httpsPort?: number
}

const OWN_NAMES = ['localhost', '127.0.0.1', '[::1]']

/** Serves the dashboard, which shows and changes nothing, to whoever names a host of it: no page of another site does. */
export function createDashboardServer({
  source,
  allowedHosts,
  onFailure,
}: DashboardDependencies): FastifyInstance {
  const hosts = new Set([...OWN_NAMES, ...allowedHosts])
  const server = fastify({ logger: false, forceCloseConnections: true })
  server.addHook('onRequest', async (request, reply) => {
    // DNS rebinding: a page whose name has come to mean this machine sends its own name.
    const host = (request.headers.host ?? '').toLowerCase().replace(/:\d*$/, '')
    if (!hosts.has(host)) await reply.code(421).type('text/plain').send('This host has no dashboard.\n')
  })
  server.setErrorHandler((error, _request, reply) => {
    onFailure?.(error)
    return reply.code(500).type('text/plain').send('This could not be read. The log says why.\n')
  })
  server.get('/', () => source.overview())
  return server
}
