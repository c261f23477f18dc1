import type { AuditEvent, AuditObserver } from '../audit-event.ts'
import type { LineFormat } from './access-log.ts'
import { jsonText } from './json-text.ts'

/** Of somebody else's words. */
const LONGEST_TEXT = 1024

/** One line for each event that an audit keeps. */
export class AuditLog implements AuditObserver {
  readonly #format: LineFormat
  readonly #now: () => number
  readonly #write: (line: string) => void

  /**
   * @param now Milliseconds since the epoch.
   * @param write Takes a line with its line feed.
   */
  constructor(format: LineFormat, now: () => number, write: (line: string) => void) {
    this.#format = format
    this.#now = now
    this.#write = write
  }

  happened(event: AuditEvent): void {
    const time = new Date(this.#now()).toISOString()
    this.#write(this.#format === 'json' ? jsonLine(time, event) : readableLine(time, event))
  }
}

function jsonLine(time: string, event: AuditEvent): string {
  let line = `{"level":30,"time":"${time}","log":"audit"`
  for (const [name, value] of Object.entries(event))
    line += `,"${name}":${jsonText(value.slice(0, LONGEST_TEXT))}`
  return `${line},"msg":"audit"}\n`
}

function readableLine(time: string, event: AuditEvent): string {
  const { channel, client, outcome, plugin, reason, subject, username } = event
  const words = [`[${time.slice(11, 23)}]`, 'audit', event.event, outcome]
  if (channel !== undefined) words.push(`by the ${channel} channel`)
  const who = username ?? subject
  if (who !== undefined) words.push(`of ${plain(who)}`)
  if (reason !== undefined) words.push(`for ${reason}`)
  if (plugin !== undefined && plugin !== '') words.push(`by ${plugin}`)
  return `${words.join(' ')} from ${client} at ${plain(`${event.host}${event.path}`)}\n`
}

function plain(text: string): string {
  return jsonText(text.slice(0, LONGEST_TEXT)).slice(1, -1)
}
