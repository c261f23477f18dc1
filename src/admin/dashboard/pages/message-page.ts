import { html } from '../html.ts'
import type { PageFrame } from './layout.ts'

/** A page that says why there is no other. */
export function messagePage(title: string, message: string): PageFrame {
  return {
    title,
    main: html`<p class="notice bad">${message}</p>
      <p><a href="/">Back to the overview</a></p>`,
  }
}
