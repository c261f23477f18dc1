import { fastify, type FastifyInstance } from 'fastify'
import { addDebug } from './debug-routes.ts'
import type { DebugSource } from './debug-source.ts'

/** Serves `/debug/…` where there is no dashboard beside it. */
export function createDebugServer(source: DebugSource): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true })
  addDebug(server, source)
  return server
}
