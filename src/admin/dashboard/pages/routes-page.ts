import type { Page, RouteState, RouteSummary } from '../dashboard-model.ts'
import { html, type Html } from '../html.ts'
import { badge } from './badge.ts'
import type { PageFrame } from './layout.ts'
import { pluginLinks, routeAddress, routeName, stateBadge } from './links.ts'
import { pager, searchForm, type ListQuery } from './search-form.ts'
import { table } from './table.ts'
import { count } from './words.ts'

export const ROUTE_STATES: readonly RouteState[] = ['open', 'guarded', 'closed']

/** A page of the routes that were searched for: never all of 10,000 at once. */
export function routesPage(
  page: Page<RouteSummary>,
  { search, state }: { readonly search: string; readonly state: RouteState | undefined },
): PageFrame {
  const query: ListQuery = {
    path: '/routes',
    search,
    choice: { name: 'state', label: 'State', chosen: state, choices: ROUTE_STATES },
  }
  return {
    title: 'Routes',
    section: '/routes',
    main: html`${searchForm(query, 'host, path, Ingress, Service or plugin')} ${pager(query, page)}
    ${routesTable(page.items, 'No route is like that.')}
    ${page.items.length > 20 ? pager(query, page, 'Pages of this list, again') : undefined}`,
  }
}

export function routesTable(routes: readonly RouteSummary[], empty: string): Html {
  return table(
    routes,
    [
      { name: 'Route', cell: (route) => html`<a href="${routeAddress(route.id)}">${routeName(route)}</a>` },
      { name: 'State', cell: stateCell },
      { name: 'Plugins', cell: ({ plugins }) => pluginLinks(plugins) },
      { name: 'Ingress', cell: ({ ingress }) => `${ingress.namespace}/${ingress.name}` },
      { name: 'Upstream', cell: ({ upstream }) => (upstream === '' ? '–' : upstream) },
      { name: 'Endpoints', cell: endpointsCell },
      { name: 'Requests', cell: ({ requests }) => count(requests), isNumber: true },
      { name: '5xx', cell: ({ serverErrors }) => errorCount(serverErrors), isNumber: true },
    ],
    { label: 'Routes', empty },
  )
}

function stateCell({ closed, state }: RouteSummary): Html {
  return html`${stateBadge(state)}${closed && html` <span class="quiet">${closed.reason}</span>`}`
}

export function endpointsCell({ endpoints: { resting, total }, state }: RouteSummary): Html | string {
  if (state === 'closed') return '–'
  if (total === 0) return badge('bad', 'none')
  if (resting > 0)
    return badge(resting === total ? 'bad' : 'warn', `${count(resting)} of ${count(total)} rest`)
  return badge('good', count(total))
}

function errorCount(errors: number): Html | string {
  return errors === 0 ? '0' : html`<strong class="bad-text">${count(errors)}</strong>`
}
