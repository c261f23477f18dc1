import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import { preferredFormat, type MetricsFormat } from './metrics-format.ts'

/** What the probes and `/metrics` ask. */
export interface AdminDependencies {
  /** `undefined` when the listeners are open, else why not. A later shutdown takes nothing back. */
  readonly notStarted: () => string | undefined
  /** `undefined` when live, else what is stuck, a line each. */
  readonly notLive: () => string | undefined
  /** `undefined` when ready, else why not, in words for an operator. */
  readonly notReady: () => string | undefined
  /** The exposition of all threads' metrics, merged. */
  readonly metrics: (
    format: MetricsFormat,
  ) => Promise<{ readonly contentType: string; readonly text: string }>
}

/**
 * Serves `/startupz`, `/livez`, `/readyz` and `/metrics`, the last as text or OpenMetrics, whichever is preferred. Liveness fails for what only a restart mends: a thread, a
 * reflector or a pass of the reconciler that is stuck. Where the main thread itself is, nothing answers here, which
 * fails the probe just the same. An API server that is away fails neither start nor liveness, for a restart would not
 * bring it back. Readiness never depends on an authorization server, whose outage must not take the proxy out of
 * rotation.
 *
 * @see https://kubernetes.io/docs/reference/using-api/health-checks/
 */
export function createAdminServer(dependencies: AdminDependencies): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true })
  server.get('/startupz', (_request, reply) => answer(reply, dependencies.notStarted()))
  server.get('/livez', (_request, reply) => answer(reply, dependencies.notLive()))
  server.get('/readyz', (_request, reply) => answer(reply, dependencies.notReady()))
  server.get('/metrics', async (request, reply) => {
    const { contentType, text } = await dependencies.metrics(preferredFormat(request.headers.accept))
    return reply.header('content-type', contentType).header('vary', 'accept').send(text)
  })
  return server
}

function answer(reply: FastifyReply, reason: string | undefined): FastifyReply {
  return reply
    .code(reason === undefined ? 200 : 503)
    .type('text/plain')
    .send(`${reason ?? 'ok'}\n`)
}
