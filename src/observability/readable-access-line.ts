import { styleText } from 'node:util'
import { durationsOf } from './access-line.ts'
import { jsonText } from './json-text.ts'
import type { RequestRecord } from './request-record.ts'

/** Of host and path; the rest is in the JSON form. */
const LONGEST_PLACE = 120

/** Writes a request as people read it, one aligned line: time, method, status, duration, place, and what became of it. */
export function readableAccessLine(record: RequestRecord, colours: boolean): string {
  const { totalMs, upstreamMs } = durationsOf(record)
  const time = new Date(record.endedAtEpochMs).toISOString().slice(11, 23)
  const place = unquoted(`${record.authority}${record.path}`)
  const words = [
    `[${time}]`,
    colours ? styleText(colourOf(record.status), String(record.status), ANY_STREAM) : String(record.status),
    record.method.padEnd(6),
    `${totalMs.toFixed(1).padStart(8)} ms `,
    place.length > LONGEST_PLACE ? `${place.slice(0, LONGEST_PLACE)}…` : place,
  ]
  const { endpoint, upstream } = record
  if (upstream !== undefined) {
    const answer = record.upstreamStatus === 0 ? 'no answer' : String(record.upstreamStatus)
    words.push(
      `→ ${upstream}${endpoint === undefined ? '' : ` at ${endpoint}`}: ${answer} in ${upstreamMs.toFixed(1)} ms`,
    )
  }
  const why = whyOf(record)
  if (why !== '') words.push(colours ? styleText('dim', why, ANY_STREAM) : why)
  return `${words.join(' ')}\n`
}

/** Whether there are colours, the caller knows. */
const ANY_STREAM = { validateStream: false }

function whyOf({ consumer, decision, reason }: RequestRecord): string {
  const words: string[] = []
  if (decision !== undefined)
    words.push(`${decision.plugin} ${decision.flow} ${decision.result}`.replaceAll('  ', ' '))
  if (reason !== '') words.push(reason)
  if (consumer !== undefined) words.push(`as ${unquoted(consumer)}`)
  return words.length === 0 ? '' : `(${words.join(', ')})`
}

function unquoted(text: string): string {
  return jsonText(text).slice(1, -1)
}

function colourOf(status: number): 'green' | 'cyan' | 'yellow' | 'red' {
  if (status >= 500) return 'red'
  if (status >= 400) return 'yellow'
  return status >= 300 ? 'cyan' : 'green'
}
