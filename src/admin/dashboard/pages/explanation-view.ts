import type {
  Explanation,
  ExplainedStep,
  FlowAnswer,
  Outcome,
  Verdict,
} from '../../../explain/explanation.ts'
import { html, type Html } from '../html.ts'
import { badge, type Tone } from './badge.ts'
import { diagnosticsTable } from './diagnostics-page.ts'
import { pluginLink } from './links.ts'
import { section, table } from './table.ts'

const STEP_BADGES: Readonly<Record<Verdict, readonly [Tone, string]>> = {
  passed: ['good', 'passed'],
  answered: ['bad', 'answered'],
  unknown: ['warn', 'not known'],
}

const FLOW_TONES: Readonly<Record<FlowAnswer['verdict'], Tone>> = {
  allow: 'good',
  redirect: 'accent',
  refuse: 'bad',
  unknown: 'warn',
}

/** A host without a route may have thousands of Ingresses. */
const MAXIMUM_DIAGNOSTICS = 20

/** The way of a request: what becomes of it first, then step by step, then what lies beside it. */
export function explanationView(explanation: Explanation): Html {
  const { assumptions, credentials, diagnostics, flows, nearMisses, outcome, request, steps } = explanation
  const query =
    request.queryParameters.length === 0
      ? ''
      : `?${request.queryParameters.map((name) => `${name}=…`).join('&')}`
  return html`<section id="answer">
      <h2>What becomes of it</h2>
      <p class="request">
        <code>${request.method} ${request.scheme}://${request.host}${request.path}${query}</code>
        <span class="quiet"
          >from
          ${request.from}${request.headers.length > 0 ? ` with ${request.headers.join(', ')}` : ''}</span
        >
      </p>
      ${outcomeView(outcome)}
    </section>
    ${section(
      'Step by step',
      html`<ol class="steps">
        ${steps.map(stepItem)}
      </ol>`,
    )}
    ${flows.length > 0 ? section('Each flow for itself', flowsTable(flows)) : undefined}
    ${listSection('The request carries', credentials)}
    ${listSection(
      'What comes near',
      nearMisses.map(({ kind, name, why }) => `${kind} ${name}: ${why}`),
    )}
    ${listSection('Taken for granted', assumptions)}
    ${diagnostics.length > 0 ? section('Known problems of these objects', diagnosticsTable(diagnostics.slice(0, MAXIMUM_DIAGNOSTICS), '')) : undefined}`
}

/** In one sentence, with what to do. */
export function outcomeView(outcome: Outcome): Html {
  if (outcome.kind === 'forwarded') {
    return html`<p class="notice good">
      ${badge('good', 'forwarded')} to <strong>${outcome.upstream}</strong> as <code>${outcome.path}</code>
    </p>`
  }
  if (outcome.kind === 'unknown') {
    return html`<p class="notice warn">
      ${badge('warn', 'not known')} it depends on ${outcome.wouldAsk.join(', and ')}
    </p>`
  }
  const { fix, headers, message, reason, status } = outcome
  const tone = status < 400 ? 'accent' : 'bad'
  return html`<div class="notice ${tone}">
    <p>${badge(tone, `answered ${status}`)} ${reason && html`<code>${reason}</code>`} ${message}</p>
    ${
      headers.length > 0
        ? html`<ul class="fields">
            ${headers.map((header) => html`<li><code>${header}</code></li>`)}
          </ul>`
        : undefined
    }
    ${fix && html`<p><strong>What to do:</strong> ${fix}</p>`}
  </div>`
}

function stepItem({ details, fix, found, step, verdict }: ExplainedStep): Html {
  return html`<li class="${verdict}">
    <p class="step-name"><strong>${step}</strong> ${badge(...STEP_BADGES[verdict])}</p>
    <div>
      <p>${found}</p>
      ${
        details.length > 0
          ? html`<ul>
              ${details.map((detail) => html`<li>${detail}</li>`)}
            </ul>`
          : undefined
      }
      ${fix && html`<p><strong>What to do:</strong> ${fix}</p>`}
    </div>
  </li> `
}

function flowsTable(flows: readonly FlowAnswer[]): Html {
  return table(
    flows,
    [
      { name: 'Plugin', cell: ({ plugin }) => pluginLink(plugin) },
      { name: 'Flow', cell: ({ flow }) => flow },
      { name: 'Verdict', cell: ({ verdict }) => badge(FLOW_TONES[verdict], verdict) },
      { name: 'Status', cell: ({ status }) => status ?? '–', isNumber: true },
      { name: 'Reason', cell: ({ reason }) => (reason === undefined ? '–' : html`<code>${reason}</code>`) },
      {
        name: 'Found',
        cell: ({ fix, found }) => html`${found}${fix && html`<br /><strong>What to do:</strong> ${fix}`}`,
      },
    ],
    { label: 'Flows', empty: '' },
  )
}

function listSection(heading: string, lines: readonly string[]): Html | undefined {
  if (lines.length === 0) return undefined
  return section(
    heading,
    html`<ul>
      ${lines.map((line) => html`<li>${line}</li>`)}
    </ul>`,
  )
}
