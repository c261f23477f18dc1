import type { Explanation } from '../../../explain/explanation.ts'
import type { ExchangeView, ShownField } from '../send/exchange-view.ts'
import { html, type Html } from '../html.ts'
import { badge } from './badge.ts'
import { outcomeView } from './explanation-view.ts'
import { figure } from './words.ts'

/** Request, decision and response beside each other. */
export function exchangeSection({ answer, request }: ExchangeView, { outcome }: Explanation): Html {
  const { fields, leftOut, line } = request
  return html`<section id="exchange">
    <h2>What was sent and what came</h2>
    <div class="columns-3">
      <article class="card">
        <h3>Request</h3>
        <p><code>${line}</code></p>
        ${fieldList(fields)}
        ${leftOut.length > 0 ? html`<p class="quiet">Left out, since they end at each hop: ${leftOut.join(', ')}</p>` : undefined}
      </article>
      <article class="card">
        <h3>Decision</h3>
        ${outcomeView(outcome)}${comparison(answer, outcome)}
      </article>
      <article class="card">
        <h3>Response</h3>
        ${answerView(answer)}
      </article>
    </div>
  </section>`
}

function answerView(answer: ExchangeView['answer']): Html {
  if ('problem' in answer) return html`<p class="notice bad">${answer.problem}</p>`
  const { body, durationMs, fields, isCut, status, statusText } = answer
  const tone = status < 300 ? 'good' : status < 400 ? 'accent' : 'bad'
  return html`<p>
      ${badge(tone, `${status} ${statusText}`)} <span class="quiet">after ${figure(durationMs)} ms</span>
    </p>
    ${fieldList(fields)}
    ${body === '' ? html`<p class="quiet">No body</p>` : html`<pre tabindex="0" role="region" aria-label="Body of the response">${body}</pre>`}
    ${isCut ? html`<p class="quiet">The first KiB; the rest was not read.</p>` : undefined}`
}

function fieldList(fields: readonly ShownField[]): Html {
  return html`<ul class="fields">
    ${fields.map(
      ([name, value]) =>
        html`<li>
          <code><b>${name}:</b> ${value}</code>
        </li>`,
    )}
  </ul>`
}

function comparison(answer: ExchangeView['answer'], outcome: Explanation['outcome']): Html | undefined {
  if ('problem' in answer) return undefined
  const reason =
    answer.reason === undefined
      ? undefined
      : html`<p>The response gives the reason <code>${answer.reason}</code>.</p>`
  if (outcome.kind !== 'answered') return reason
  const isSame = outcome.status === answer.status
  return html`<p>
      ${isSame ? badge('good', 'as explained') : badge('warn', `answered ${answer.status} instead`)}
    </p>
    ${reason}`
}
