import type { DecisionResult, PluginDetails, RecentDecision } from '../dashboard-model.ts'
import { html, type Html } from '../html.ts'
import { badge } from './badge.ts'
import { diagnosticsTable } from './diagnostics-page.ts'
import type { PageFrame } from './layout.ts'
import { routeAddress } from './links.ts'
import { conditionsTable, DECISION_TONES } from './plugins-page.ts'
import { facts, section, table } from './table.ts'
import { count, counted, moment, roughly } from './words.ts'

/** A plugin may guard thousands. */
const LISTED_ROUTES = 50

export function pluginPage(plugin: PluginDetails, nowMs: number): PageFrame {
  const { conditions, diagnostics, id, recentDecisions } = plugin
  return {
    title: id,
    section: '/plugins',
    main: html`<p class="crumb"><a href="/plugins">Plugins</a></p>
      ${pluginFacts(plugin, nowMs)} ${section('Conditions', conditionsTable(conditions))}
      ${section('Recent decisions', decisionsTable(recentDecisions, nowMs))} ${section('Keys', keys(plugin))}
      ${section('Routes', routeList(plugin))}
      ${section('Diagnostics', diagnosticsTable(diagnostics, 'Nothing is wrong with it.'))}`,
  }
}

function pluginFacts(plugin: PluginDetails, nowMs: number): Html {
  const { decisions, flows, isAccepted, issuer } = plugin
  return facts([
    ['State', isAccepted ? badge('good', 'accepted') : badge('bad', 'refused')],
    ['Issuer', issuer],
    ['Flows', flows.join(', ')],
    ['Discovery', discovery(plugin, nowMs)],
    [
      'Decisions',
      html`<ul class="inline">
        ${Object.entries(decisions).map(([result, number]) => html`<li>${badge(DECISION_TONES[result as DecisionResult], `${result} ${count(number)}`)}</li>`)}
      </ul>`,
    ],
  ])
}

function discovery({ discovery: { atMs, problem, state } }: PluginDetails, nowMs: number): Html {
  if (state === 'never') return badge('quiet', 'not asked yet')
  return html`${state === 'ok' ? badge('good', 'ok') : badge('bad', 'failing')}
  ${atMs === undefined ? undefined : moment(atMs, nowMs)}${problem && html`<br />${problem}`}`
}

function decisionsTable(decisions: readonly RecentDecision[], nowMs: number): Html {
  return table(
    decisions,
    [
      { name: 'When', cell: ({ atMs }) => moment(atMs, nowMs) },
      { name: 'Decision', cell: ({ result }) => badge(DECISION_TONES[result], result) },
      { name: 'Status', cell: ({ status }) => status ?? '–', isNumber: true },
      { name: 'Reason', cell: ({ reason }) => (reason === '' ? '–' : html`<code>${reason}</code>`) },
      { name: 'Flow', cell: ({ flow }) => flow },
      { name: 'Consumer', cell: ({ consumer }) => consumer ?? '–' },
      {
        name: 'Route',
        cell: ({ route }) =>
          route === '' ? 'reserved path' : html`<a href="${routeAddress(route)}">${route}</a>`,
      },
    ],
    { label: 'Recent decisions', empty: 'It decided nothing since this process started.' },
  )
}

function keys({ keys: known, keysAgeSeconds }: PluginDetails): Html {
  const age =
    keysAgeSeconds === undefined
      ? undefined
      : html`<p class="quiet">Fetched ${roughly(keysAgeSeconds * 1000)} ago</p>`
  const shown = table(
    known,
    [
      { name: 'Key id', cell: ({ id }) => html`<code>${id}</code>` },
      { name: 'Algorithm', cell: ({ algorithm }) => algorithm },
      { name: 'Use', cell: ({ use }) => use },
    ],
    { label: 'Keys', empty: 'None are known yet: they are fetched when the first token has to be verified.' },
  )
  return html`${shown}${age}`
}

function routeList({ id, routeIds }: PluginDetails): Html {
  if (routeIds.length === 0) return html`<p class="empty">It guards no route.</p>`
  const rest = routeIds.length - LISTED_ROUTES
  return html`<ul class="columns">
      ${routeIds.slice(0, LISTED_ROUTES).map((each) => html`<li><a href="${routeAddress(each)}">${each}</a></li>`)}
    </ul>
    ${rest > 0 ? html`<p><a href="/routes?search=${encodeURIComponent(id)}">and ${counted(rest, 'more route')}</a></p>` : undefined}`
}
