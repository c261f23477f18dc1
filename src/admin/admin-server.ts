import { fastify, type FastifyInstance } from 'fastify'

/** What the probes and `/metrics` ask. */
export interface AdminDependencies {
  /** `undefined` when ready, else why not, in words for an operator. */
  readonly notReady: () => string | undefined
  /** The text exposition of all threads' metrics, merged. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

/**
 * Serves `/livez`, `/readyz` and `/metrics`. Liveness is that this thread answers at all; readiness never depends on
 * an authorization server, whose outage must not take the proxy out of rotation.
 *
 * @see https://kubernetes.io/docs/reference/using-api/health-checks/
 */
export function createAdminServer(dependencies: AdminDependencies): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true })
  server.get('/livez', (_request, reply) => reply.type('text/plain').send('ok\n'))
  server.get('/readyz', (_request, reply) => {
    const reason = dependencies.notReady()
    const status = reason === undefined ? 200 : 503
    return reply
      .code(status)
      .type('text/plain')
      .send(`${reason ?? 'ok'}\n`)
  })
  server.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await dependencies.metrics()
    return reply.header('content-type', contentType).send(text)
  })
  return server
}
