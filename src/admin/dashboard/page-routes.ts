import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Clock } from '../../clock.ts'
import type { Assets } from './assets.ts'
import type { DashboardSource } from './dashboard-model.ts'
import { certificatesPage } from './pages/certificates-page.ts'
import { consumersPage } from './pages/consumers-page.ts'
import { diagnosticsPage, SEVERITIES } from './pages/diagnostics-page.ts'
import { layout, type PageFrame } from './pages/layout.ts'
import { messagePage } from './pages/message-page.ts'
import { overviewPage } from './pages/overview-page.ts'
import { pluginPage } from './pages/plugin-page.ts'
import { pluginsPage } from './pages/plugins-page.ts'
import { routePage } from './pages/route-page.ts'
import { ROUTE_STATES, routesPage } from './pages/routes-page.ts'
import { readChoice, readPageQuery, textOf, type Query } from './read-query.ts'

/** What every page is made from. */
export interface PageContext {
  readonly source: DashboardSource
  readonly clock: Clock
  readonly assets: Assets
}

export function addPages(server: FastifyInstance, { assets, clock, source }: PageContext): void {
  const page = (path: string, write: (query: Query) => Promise<PageFrame | undefined>): void => {
    server.get(path, async (request, reply) => {
      const frame = await write(request.query as Query)
      if (frame !== undefined) return sendPage(reply, assets, frame)
      return sendPage(reply.code(404), assets, messagePage('Not found', 'It is not there, or no more.'))
    })
  }
  page('/', async () =>
    overviewPage(await source.overview(), source.traffic(), { assets, nowMs: clock.now() }),
  )
  page('/routes', async (query) => {
    const asked = { ...readPageQuery(query), ...optional('state', readChoice(query, 'state', ROUTE_STATES)) }
    return routesPage(await source.routes(asked), { search: asked.search, state: asked.state })
  })
  page('/route', async (query) => {
    const route = await source.route(textOf(query, 'id'))
    return route && routePage(route, clock.now())
  })
  page('/plugins', async () => pluginsPage(await source.plugins()))
  page('/plugin', async (query) => {
    const plugin = await source.plugin(textOf(query, 'id'))
    return plugin && pluginPage(plugin, clock.now())
  })
  page('/consumers', async (query) => {
    const asked = readPageQuery(query)
    return consumersPage(await source.consumers(asked), asked.search)
  })
  page('/certificates', async () => certificatesPage(await source.certificates(), clock.now()))
  page('/diagnostics', async (query) => {
    const severity = readChoice(query, 'severity', SEVERITIES)
    const asked = readPageQuery(query)
    const found = await source.diagnostics({ ...asked, ...optional('severity', severity) })
    return diagnosticsPage(found, { search: asked.search, severity })
  })
}

export function sendPage(reply: FastifyReply, assets: Assets, frame: PageFrame): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(layout(assets, frame))
}

/** A member, where there is a value for it. */
export function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]?: Value })
}
