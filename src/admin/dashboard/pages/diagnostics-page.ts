import type { Diagnostic } from '../../../table/diagnostic.ts'
import type { Page } from '../dashboard-model.ts'
import { html, type Html } from '../html.ts'
import { badge, type Tone } from './badge.ts'
import type { PageFrame } from './layout.ts'
import { pager, searchForm, type ListQuery } from './search-form.ts'
import { table } from './table.ts'

export const SEVERITIES: readonly Diagnostic['severity'][] = ['error', 'warning', 'info']

const TONES: Readonly<Record<Diagnostic['severity'], Tone>> = { error: 'bad', warning: 'warn', info: 'quiet' }

export function diagnosticsPage(
  page: Page<Diagnostic>,
  { search, severity }: { readonly search: string; readonly severity: Diagnostic['severity'] | undefined },
): PageFrame {
  const query: ListQuery = {
    path: '/diagnostics',
    search,
    choice: { name: 'severity', label: 'Severity', chosen: severity, choices: SEVERITIES },
  }
  const wasAsked = search !== '' || severity !== undefined
  return {
    title: 'Diagnostics',
    section: '/diagnostics',
    main: html`${searchForm(query, 'object, field, reason or message')} ${pager(query, page)}
    ${diagnosticsTable(page.items, wasAsked ? 'No diagnostic is like that.' : 'Nothing is wrong with any object.')}`,
  }
}

export function diagnosticsTable(diagnostics: readonly Diagnostic[], empty: string): Html {
  return table(
    diagnostics,
    [
      { name: 'Severity', cell: ({ severity }) => badge(TONES[severity], severity) },
      { name: 'Object', cell: objectCell },
      {
        name: 'What is wrong',
        cell: ({ message, reason }) => html`<strong>${reason}</strong><br />${message}`,
      },
      { name: 'What to do', cell: ({ remedy }) => remedy },
    ],
    { label: 'Diagnostics', empty },
  )
}

function objectCell({ object: { kind, name, namespace }, origin, path }: Diagnostic): Html {
  return html`${kind}
  ${namespace === '' ? name : `${namespace}/${name}`}${path === '' ? undefined : html`<br /><code>${path}</code>`}
  ${origin && html`<br /><span class="quiet">${origin.file}:${origin.line}</span>`}`
}
