import type { RouteState, RouteSummary } from '../dashboard-model.ts'
import { html, type Html } from '../html.ts'
import { badge } from './badge.ts'

export function routeAddress(id: string): string {
  return `/route?id=${encodeURIComponent(id)}`
}

export function pluginLink(id: string): Html {
  return html`<a href="/plugin?id=${encodeURIComponent(id)}">${id}</a>`
}

export function pluginLinks(ids: readonly string[]): Html | string {
  if (ids.length === 0) return '–'
  return html`<ul class="plain">
    ${ids.map((id) => html`<li>${pluginLink(id)}</li>`)}
  </ul>`
}

/** Host and path as a person would type it. */
export function routeName({
  host,
  path,
  pathType,
}: Pick<RouteSummary, 'host' | 'path' | 'pathType'>): string {
  const name = host === '' ? '(any other host)' : host
  return `${name}${path}${pathType === 'Prefix' && !path.endsWith('/') ? '/…' : pathType === 'Prefix' ? '…' : ''}`
}

export function stateBadge(state: RouteState): Html {
  if (state === 'closed') return badge('bad', 'closed')
  return state === 'guarded' ? badge('good', 'guarded') : badge('quiet', 'open')
}
