import { createHash } from 'node:crypto'
import type { HeaderList } from '../auth/decision.ts'
import { escapeHtml } from '../escape-html.ts'
import { ownHeaders, type ProblemResponse } from './problem.ts'

/** A page of ours. `main` and `head` are HTML whose texts were escaped; `title` is text. */
export interface HtmlPage {
  readonly title: string
  readonly main: string
  readonly head?: string
  /** The page has a form that is sent to this site. */
  readonly hasForm?: boolean
}

const STYLE = `:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem}
h1{font-size:1.5rem;line-height:1.25}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}
dt{opacity:.7}
dd{margin:0;overflow-wrap:anywhere}
a,button{display:inline-block;box-sizing:border-box;font:inherit;padding:.4rem 1rem;border:1px solid;border-radius:.4rem;\
background:none;color:inherit;text-decoration:none;cursor:pointer}
a:hover,button:hover{background:color-mix(in srgb,currentcolor 10%,transparent)}`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const PLAIN: HeaderList = [
  ['Content-Security-Policy', `${CONTENT_SECURITY_POLICY}; form-action 'none'`],
  ['Referrer-Policy', 'no-referrer'],
]

// Browsers hold `form-action` against every redirect that follows, and a logout ends at the authorization server and
// wherever that sends people on. With `no-referrer` they would send `Origin: null`, which proves nothing.
const WITH_FORM: HeaderList = [
  ['Content-Security-Policy', CONTENT_SECURITY_POLICY],
  ['Referrer-Policy', 'same-origin'],
]

/** A page that loads and runs nothing, is framed by nobody and, unless `added` says otherwise, is not kept. */
export function htmlResponse(status: number, page: HtmlPage, added: HeaderList): ProblemResponse {
  const body = render(page)
  const own = page.hasForm === true ? WITH_FORM : PLAIN
  const headers = [...own.filter(([name]) => !isAmong(name, added)), ...added]
  return { status, headers: ownHeaders('text/html; charset=utf-8', body, headers), body }
}

function isAmong(name: string, headers: HeaderList): boolean {
  return headers.some(([other]) => other.toLowerCase() === name.toLowerCase())
}

function render({ title, main, head = '' }: HtmlPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
${head}<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${main}</main>
</body>
</html>
`
}
