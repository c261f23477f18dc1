import type { Explanation } from '../../../explain/explanation.ts'
import type { ExchangeView } from '../send/exchange-view.ts'
import { html, type Html } from '../html.ts'
import { exchangeSection } from './exchange-section.ts'
import { explanationView } from './explanation-view.ts'
import type { PageFrame } from './layout.ts'

/** What somebody typed. */
export interface ExplainForm {
  readonly method: string
  readonly url: string
  /** A field each line. */
  readonly headers: string
  readonly from: string
}

export interface ExplainAnswer {
  /** Why what was typed cannot be read or sent. */
  readonly problem?: string
  readonly explanation?: Explanation
  readonly exchange?: ExchangeView
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export function explainPage(
  form: ExplainForm,
  { exchange, explanation, problem }: ExplainAnswer,
  token: string,
): PageFrame {
  return {
    title: 'Explain',
    section: '/explain',
    main: html`<p class="intro">
        Which Ingress, rule and plugin a request meets, step by step, what each flow would say, and why it is
        refused.
      </p>
      ${problem && html`<p class="notice bad" role="alert" id="problem">${problem}</p>`}
      ${questionForm(form, token, problem !== undefined)}
      ${exchange && explanation && exchangeSection(exchange, explanation)}
      ${explanation && explanationView(explanation)}
      ${explanation && html`<p><a href="/explain?${linkQuery(form)}">Link to this question</a> <span class="quiet">without header fields and query, which may hold secrets</span></p>`}`,
  }
}

function questionForm({ from, headers, method, url }: ExplainForm, token: string, isInvalid: boolean): Html {
  const described = isInvalid ? html` aria-describedby="problem"` : undefined
  return html`<form class="question" method="post" action="/explain">
    <input type="hidden" name="token" value="${token}" />
    <div class="field">
      <label for="method">Method</label>
      <input
        id="method"
        name="method"
        value="${method}"
        list="methods"
        required
        maxlength="32"
        autocomplete="off"
        spellcheck="false"
      />
      <datalist id="methods">${METHODS.map((each) => html`<option value="${each}"></option>`)}</datalist>
    </div>
    <div class="field grow">
      <label for="url">URL</label>
      <input
        id="url"
        name="url"
        value="${url}"
        required
        maxlength="8192"
        placeholder="https://host/path"
        inputmode="url"
        autocomplete="off"
        spellcheck="false"
        ${described}
      />
    </div>
    <div class="field">
      <label for="from">From address</label>
      <input
        id="from"
        name="from"
        value="${from}"
        maxlength="45"
        placeholder="203.0.113.1"
        autocomplete="off"
        spellcheck="false"
      />
    </div>
    <div class="field whole">
      <label for="headers">Header fields, one a line</label>
      <textarea
        id="headers"
        name="headers"
        rows="3"
        maxlength="32768"
        placeholder="Authorization: Bearer …"
        autocomplete="off"
        spellcheck="false"
      >
${headers}</textarea>
    </div>
    <div class="whole buttons">
      <button class="primary">Explain</button>
      <button formaction="/explain/send">Send this request</button>
      <p class="quiet">
        Sending really sends it: through the data plane of this process to the upstream, without a body and
        without your cookies. Such a request comes from 127.0.0.1, whatever address stands above, and the
        certificate of the listener is not verified.
      </p>
    </div>
  </form>`
}

/** Values of fields and queries have no place in an address, which is kept and logged. */
function linkQuery({ from, method, url }: ExplainForm): string {
  const query = new URLSearchParams({ method, url: url.replace(/\?.*$/s, '') })
  if (from !== '') query.set('from', from)
  return query.toString()
}
