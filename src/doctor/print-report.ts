import type { Finding, Outcome, Report } from './finding.ts'

const MARKS: Readonly<Record<Outcome, string>> = { ok: '✓', failed: '✗', warning: '!', skipped: '–' }
const WORDS: Readonly<Record<Outcome, string>> = {
  ok: 'ok',
  failed: 'FAILED',
  warning: 'warning',
  skipped: 'skipped',
}
const CHECK_WIDTH = 12
const WORD_WIDTH = 7

export interface PrintOptions {
  /** Marks in place of words. */
  readonly marks: boolean
  /** Colours a mark or word. Absent: it stays as it is. */
  readonly emphasize?: (outcome: Outcome, mark: string) => string
  /** Columns; lines are broken between words. Absent: not at all. */
  readonly width?: number
}

/** The checklist as an aligned table, each fix below its finding, and a line that sums up. */
export function printReport({ plugin, issuer, findings }: Report, options: PrintOptions): string {
  const title = issuer === undefined ? plugin : `${plugin} at ${issuer}`
  const lines = findings.flatMap((finding) => printFinding(finding, options))
  const count = (outcome: Outcome): number => findings.filter((each) => each.outcome === outcome).length
  const sum = `${count('failed')} failed, ${count('warning')} to look at, ${count('ok')} ok, ${count('skipped')} skipped`
  return [title, '', ...lines, '', sum, ''].join('\n')
}

function printFinding(
  { check, outcome, found, fix }: Finding,
  { marks, width, emphasize }: PrintOptions,
): string[] {
  const mark = marks ? MARKS[outcome] : WORDS[outcome].padEnd(WORD_WIDTH)
  const start = `${mark}  ${check.padEnd(CHECK_WIDTH)}  `
  const shownStart = `${emphasize?.(outcome, mark) ?? mark}${start.slice(mark.length)}`
  const indent = ' '.repeat(start.length)
  const [first = '', ...rest] = wrap(found, width, start.length)
  const fixLines = fix === undefined ? [] : wrap(`fix: ${fix}`, width, start.length)
  return [`${shownStart}${first}`, ...[...rest, ...fixLines].map((line) => `${indent}${line}`)]
}

/** Breaks between words alone, so that commands and addresses can be copied whole. */
function wrap(text: string, width: number | undefined, indent: number): string[] {
  if (width === undefined) return [text]
  const room = Math.max(width - indent, 30)
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > room) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
