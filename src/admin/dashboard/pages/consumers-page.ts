import type { ConsumerSummary, Page } from '../dashboard-model.ts'
import { html, type Html } from '../html.ts'
import { badge } from './badge.ts'
import type { PageFrame } from './layout.ts'
import { conditionTone } from './plugins-page.ts'
import { pager, searchForm, type ListQuery } from './search-form.ts'
import { table } from './table.ts'

export function consumersPage(page: Page<ConsumerSummary>, search: string): PageFrame {
  const query: ListQuery = { path: '/consumers', search }
  return {
    title: 'Consumers',
    section: '/consumers',
    main: html`${searchForm(query, 'name, username, custom id or group')} ${pager(query, page)}
    ${table(
      page.items,
      [
        { name: 'Consumer', cell: ({ id }) => html`<strong>${id}</strong>` },
        { name: 'Username', cell: ({ username }) => username ?? '–' },
        { name: 'Custom id', cell: ({ customId }) => customId ?? '–' },
        { name: 'Groups', cell: ({ groups }) => (groups.length === 0 ? '–' : groups.join(', ')) },
        { name: 'Conditions', cell: conditionsCell },
      ],
      { label: 'Consumers', empty: search === '' ? 'There is no Consumer.' : 'No Consumer is like that.' },
    )}`,
  }
}

function conditionsCell({ conditions }: ConsumerSummary): Html {
  return html`<ul class="plain">
    ${conditions.map(
      (condition) =>
        html`<li>
          ${badge(conditionTone(condition), condition.reason)}${conditionTone(condition) === 'good' ? undefined : html` <span class="quiet">${condition.message}</span>`}
        </li>`,
    )}
  </ul>`
}
