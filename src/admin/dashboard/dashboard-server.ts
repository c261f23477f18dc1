import {
  fastify,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { systemClock, type Clock } from '../../clock.ts'
import { OstiaryError } from '../../errors.ts'
import { addDebug } from '../debug/debug-routes.ts'
import type { DebugSource } from '../debug/debug-source.ts'
import { addApi } from './api-routes.ts'
import { readAssets } from './assets.ts'
import type { DashboardSource } from './dashboard-model.ts'
import { addExplain, EXPLAIN_FORMS } from './explain-routes.ts'
import { guardHost } from './host-guard.ts'
import { addPages } from './page-routes.ts'
import { layout } from './pages/layout.ts'
import { messagePage } from './pages/message-page.ts'
import { RESPONSE_HEADERS } from './response-headers.ts'
import type { DataPlaneAddress } from './send/data-plane.ts'

export type { DataPlaneAddress }

export interface DashboardDependencies {
  readonly source: DashboardSource
  /** Hosts that it is served on beside this machine's own names, without port. */
  readonly allowedHosts: readonly string[]
  /** Where the data plane of this process listens: what "send this request" goes through. */
  readonly dataPlane: DataPlaneAddress
  /** Absent: there is nothing below `/debug`. */
  readonly debug?: DebugSource
  readonly clock?: Clock
  /** Told of what a page failed with and does not show. */
  readonly onFailure?: (error: unknown) => void
}

/**
 * Serves the dashboard: pages, and the same as JSON below `/api`. It changes nothing, and shows nothing to a page of
 * another site. X-Forwarded-* are not read: whoever connects can write them.
 */
export function createDashboardServer(dependencies: DashboardDependencies): FastifyInstance {
  const { allowedHosts, clock = systemClock, dataPlane, debug, onFailure = () => {}, source } = dependencies
  const server = fastify({ logger: false, forceCloseConnections: true, bodyLimit: 64 * 1024 })
  const assets = readAssets()
  const context = { source, clock, assets }
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers({ ...RESPONSE_HEADERS })
    done()
  })
  server.addHook('onRequest', guardHost(allowedHosts))
  server.addHook('onRequest', guardMethod)
  const answerMessage = (request: FastifyRequest, reply: FastifyReply, [title, message]: [string, string]) =>
    request.url.startsWith('/api/')
      ? reply.send({ message })
      : reply.type('text/html; charset=utf-8').send(layout(assets, messagePage(title, message)))
  server.setNotFoundHandler((request, reply) =>
    answerMessage(request, reply.code(404), ['Not found', 'There is no such page.']),
  )
  server.setErrorHandler((error: FastifyError | OstiaryError, request, reply) => {
    const status = statusOf(error)
    if (status < 500) return answerMessage(request, reply.code(status), ['Not understood', error.message])
    onFailure(error)
    return answerMessage(request, reply.code(status), ['Failed', 'This could not be read. The log says why.'])
  })
  assets.serve(server)
  addPages(server, context)
  addExplain(server, { ...context, dataPlane })
  addApi(server, context)
  if (debug !== undefined) addDebug(server, debug)
  return server
}

function statusOf(error: FastifyError | OstiaryError): number {
  if (error instanceof OstiaryError) return error.code === 'ERR_SETTINGS_INVALID' ? 400 : 500
  return error.statusCode ?? 500
}

async function guardMethod({ method, url }: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (method === 'GET' || method === 'HEAD') return
  const isForm = EXPLAIN_FORMS.includes(url)
  if (method === 'POST' && isForm) return
  await reply
    .code(405)
    .header('allow', isForm ? 'GET, HEAD, POST' : 'GET, HEAD')
    .type('text/plain; charset=utf-8')
    .send('The dashboard changes nothing: it takes GET and HEAD.\n')
}
