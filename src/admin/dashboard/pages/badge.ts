import { html, type Html } from '../html.ts'

/** What colour says beside the word, never alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'accent'

const MARKS: Readonly<Record<Tone, string>> = { good: '✓', warn: '!', bad: '✕', quiet: '–', accent: '●' }

/** A state in a word, with a mark and a colour of its own. */
export function badge(tone: Tone, word: string): Html {
  return html`<span class="badge ${tone}"><span aria-hidden="true">${MARKS[tone]}</span> ${word}</span>`
}
