import { escapeHtml } from '../../escape-html.ts'

/** HTML in which every text is escaped: made by `html` alone. */
export class Html {
  readonly #text: string

  constructor(strings: TemplateStringsArray, parts: readonly HtmlPart[]) {
    this.#text = String.raw({ raw: strings }, ...parts.map(rendered))
  }

  toString(): string {
    return this.#text
  }
}

/** What may stand in a template. Text is escaped; nothing is written for what is absent. */
export type HtmlPart = Html | string | number | undefined | readonly HtmlPart[]

/** A template whose parts are escaped unless they are HTML. Attributes are written in double quotes. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(strings, parts)
}

function rendered(part: HtmlPart): string {
  if (part === undefined) return ''
  if (part instanceof Html) return part.toString()
  if (typeof part === 'string') return escapeHtml(part)
  if (typeof part === 'number') return String(part)
  return part.map(rendered).join('')
}
