import type { DecisionResult, PluginSummary, ShownCondition } from '../dashboard-model.ts'
import { html, type Html } from '../html.ts'
import { badge, type Tone } from './badge.ts'
import type { PageFrame } from './layout.ts'
import { pluginLink } from './links.ts'
import { table } from './table.ts'
import { count } from './words.ts'

export const DECISION_TONES: Readonly<Record<DecisionResult, Tone>> = {
  allow: 'good',
  redirect: 'accent',
  respond: 'quiet',
  refuse: 'warn',
  unavailable: 'bad',
}

export function pluginsPage(plugins: readonly PluginSummary[]): PageFrame {
  return {
    title: 'Plugins',
    section: '/plugins',
    main: table(
      plugins,
      [
        { name: 'Plugin', cell: ({ id }) => pluginLink(id) },
        { name: 'State', cell: acceptance },
        { name: 'Issuer', cell: ({ issuer }) => issuer },
        { name: 'Flows', cell: ({ flows }) => flows.join(', ') },
        { name: 'Routes', cell: ({ routes }) => count(routes), isNumber: true },
        ...(Object.keys(DECISION_TONES) as DecisionResult[]).map((result) => ({
          name: result,
          cell: ({ decisions }: PluginSummary) => count(decisions[result]),
          isNumber: true,
        })),
      ],
      { label: 'Plugins', empty: 'There is no OIDCPlugin.' },
    ),
  }
}

/** A plugin that is accepted may still warn. */
function acceptance({ conditions, isAccepted }: PluginSummary): Html {
  const problem = conditions.find((condition) => conditionTone(condition) !== 'good')
  return html`${isAccepted ? badge('good', 'accepted') : badge('bad', 'refused')}${problem && html` <span class="quiet">${problem.reason}</span>`}`
}

/** Of all conditions, `Warning` alone is bad when it is true. */
export function conditionTone({ status, type }: ShownCondition): Tone {
  if (type === 'Warning') return status === 'True' ? 'warn' : 'good'
  if (status === 'True') return 'good'
  return status === 'False' ? 'bad' : 'warn'
}

export function conditionsTable(conditions: readonly ShownCondition[]): Html {
  return table(
    conditions,
    [
      {
        name: 'Condition',
        cell: (condition) =>
          html`${badge(conditionTone(condition), `${condition.type}=${condition.status}`)}`,
      },
      { name: 'Reason', cell: ({ reason }) => reason },
      { name: 'Message', cell: ({ message }) => message },
    ],
    { label: 'Conditions', empty: 'It has no condition yet.' },
  )
}
