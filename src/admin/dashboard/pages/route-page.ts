import type { EndpointState, RecentError, RouteDetails } from '../dashboard-model.ts'
import { html, type Html } from '../html.ts'
import { badge } from './badge.ts'
import { diagnosticsTable } from './diagnostics-page.ts'
import type { PageFrame } from './layout.ts'
import { pluginLinks, routeName, stateBadge } from './links.ts'
import { facts, section, table } from './table.ts'
import { count, moment } from './words.ts'

/** All that is known of one route. */
export function routePage(route: RouteDetails, nowMs: number): PageFrame {
  const { closed, diagnostics, endpointList, lastErrors, policy } = route
  return {
    title: routeName(route),
    section: '/routes',
    main: html`<p class="crumb"><a href="/routes">Routes</a></p>
      ${closed && html`<p class="notice bad"><strong>Closed, ${closed.reason}:</strong> ${closed.message}</p>`}
      ${routeFacts(route)} ${section('Endpoints', endpointsTable(endpointList, nowMs))}
      ${section('Last errors', errorsTable(lastErrors, nowMs))}
      ${section(
        'Policy',
        policy.length === 0
          ? html`<p class="empty">Nothing beyond the defaults.</p>`
          : facts(policy.map(({ name, value }) => [name, value])),
      )}
      ${section('Diagnostics', diagnosticsTable(diagnostics, 'Nothing is wrong with its Ingress, Service and plugins.'))}`,
  }
}

function routeFacts(route: RouteDetails): Html {
  const { host, id, ingress, path, pathType, plugins, requests, serverErrors, state, upstream } = route
  return facts([
    ['State', stateBadge(state)],
    ['Plugins', pluginLinks(plugins)],
    ['Ingress', `${ingress.namespace}/${ingress.name}`],
    ['Upstream', upstream === '' ? undefined : upstream],
    ['Path', `${path} (${pathType})`],
    ['Requests', `${count(requests)}, of them ${count(serverErrors)} answered 5xx`],
    ['Id', html`<code>${id}</code>`],
    ['Explain', host === '' ? undefined : explainLink(host, path)],
  ])
}

/** A wildcard is asked for with a name that it matches. */
function explainLink(host: string, path: string): Html {
  const url = `https://${host.replace(/^\*/, 'any')}${path}`
  return html`<a href="/explain?${new URLSearchParams({ method: 'GET', url }).toString()}"
    >what a GET of it meets</a
  >`
}

function endpointsTable(endpoints: readonly EndpointState[], nowMs: number): Html {
  return table(
    endpoints,
    [
      { name: 'Address', cell: ({ address }) => html`<code>${address}</code>` },
      { name: 'Health', cell: (endpoint) => healthOf(endpoint, nowMs) },
      { name: 'Failures', cell: ({ failures }) => count(failures), isNumber: true },
      {
        name: 'Last error',
        cell: ({ lastError }) =>
          lastError ? html`<code>${lastError.reason}</code> ${moment(lastError.atMs, nowMs)}` : '–',
      },
    ],
    { label: 'Endpoints', empty: 'It has no endpoint.' },
  )
}

function healthOf({ isResting, restsUntilMs }: EndpointState, nowMs: number): Html {
  if (!isResting) return badge('good', 'in use')
  return html`${badge('warn', 'rests')}${restsUntilMs === undefined ? undefined : html` until ${moment(restsUntilMs, nowMs)}`}`
}

function errorsTable(errors: readonly RecentError[], nowMs: number): Html {
  return table(
    errors,
    [
      { name: 'When', cell: ({ atMs }) => moment(atMs, nowMs) },
      { name: 'Status', cell: ({ status }) => badge('bad', String(status)) },
      { name: 'Reason', cell: ({ reason }) => html`<code>${reason}</code>` },
      {
        name: 'Endpoint',
        cell: ({ endpoint }) => (endpoint === undefined ? '–' : html`<code>${endpoint}</code>`),
      },
    ],
    { label: 'Last errors', empty: 'Nothing was answered with 5xx since this process started.' },
  )
}
