import type { FastifyInstance, FastifyReply } from 'fastify'
import type { PageContext } from './page-routes.ts'
import { optional } from './page-routes.ts'
import { SEVERITIES } from './pages/diagnostics-page.ts'
import { ROUTE_STATES } from './pages/routes-page.ts'
import { readChoice, readPageQuery, textOf, type Query } from './read-query.ts'

/** Addresses and what they take, for who asks for `/api`. */
const DIRECTORY: Readonly<Record<string, readonly string[]>> = {
  '/api/overview': [],
  '/api/traffic': [],
  '/api/routes': ['search', 'state', 'offset', 'limit'],
  '/api/route': ['id'],
  '/api/plugins': [],
  '/api/plugin': ['id'],
  '/api/consumers': ['search', 'offset', 'limit'],
  '/api/certificates': [],
  '/api/diagnostics': ['search', 'severity', 'offset', 'limit'],
  '/api/explain': ['method', 'url', 'from'],
}

/** The data of the pages as JSON, for reading. */
export function addApi(server: FastifyInstance, { source }: Pick<PageContext, 'source'>): void {
  const get = (path: string, read: (query: Query) => unknown): void => {
    server.get(path, async (request, reply) => answer(reply, await read(request.query as Query)))
  }
  get('/api', () => DIRECTORY)
  get('/api/overview', () => source.overview())
  get('/api/traffic', () => source.traffic())
  get('/api/routes', (query) =>
    source.routes({
      ...readPageQuery(query),
      ...optional('state', readChoice(query, 'state', ROUTE_STATES)),
    }),
  )
  get('/api/route', (query) => source.route(textOf(query, 'id')))
  get('/api/plugins', () => source.plugins())
  get('/api/plugin', (query) => source.plugin(textOf(query, 'id')))
  get('/api/consumers', (query) => source.consumers(readPageQuery(query)))
  get('/api/certificates', () => source.certificates())
  get('/api/diagnostics', (query) =>
    source.diagnostics({
      ...readPageQuery(query),
      ...optional('severity', readChoice(query, 'severity', SEVERITIES)),
    }),
  )
  get('/api/explain', (query) => source.explain(wordsOf(query)))
}

function answer(reply: FastifyReply, data: unknown): FastifyReply {
  return data === undefined
    ? reply.code(404).send({ message: 'It is not there, or no more.' })
    : reply.send(data)
}

/** Without header fields: their values may be secrets, which have no place in an address. */
function wordsOf(query: Query): { readonly url: string; readonly method?: string; readonly from?: string } {
  const [method, from] = [textOf(query, 'method'), textOf(query, 'from')]
  return {
    url: textOf(query, 'url'),
    ...optional('method', method === '' ? undefined : method),
    ...optional('from', from === '' ? undefined : from),
  }
}
