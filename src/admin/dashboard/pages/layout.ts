import type { Assets } from '../assets.ts'
import { html, type Html } from '../html.ts'

export interface PageFrame {
  readonly title: string
  /** What the menu marks; absent: nothing. */
  readonly section?: Section
  readonly main: Html
  /** Scripts and styles that this page alone needs. */
  readonly head?: Html
}

export type Section = (typeof SECTIONS)[number][0]

const SECTIONS = [
  ['/', 'Overview'],
  ['/routes', 'Routes'],
  ['/plugins', 'Plugins'],
  ['/consumers', 'Consumers'],
  ['/certificates', 'Certificates'],
  ['/diagnostics', 'Diagnostics'],
  ['/explain', 'Explain'],
] as const

/** A whole page. */
export function layout(assets: Assets, { head, main, section, title }: PageFrame): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} · Ostiary</title>
        <link rel="icon" type="image/svg+xml" href="${assets.pathOf('icon.svg')}" />
        <link rel="stylesheet" href="${assets.pathOf('dashboard.css')}" />
        <script type="module" src="${assets.pathOf('dashboard.js')}"></script>
        ${head}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <a class="brand" href="/"
            ><img src="${assets.pathOf('icon.svg')}" alt="" width="24" height="24" /><span>Ostiary</span></a
          >
          <nav aria-label="Pages">
            <ul>
              ${SECTIONS.map(([path, name]) => html`<li><a href="${path}" ${path === section ? html` aria-current="page"` : undefined}>${name}</a></li> `)}
            </ul>
          </nav>
        </header>
        <main id="main" tabindex="-1">
          <h1>${title}</h1>
          ${main}
        </main>
        <footer>
          <p>
            Shows this process alone and changes nothing. Press <kbd>/</kbd> to search. The same as JSON:
            <a href="/api">/api</a>
          </p>
        </footer>
      </body>
    </html> `.toString()
}
