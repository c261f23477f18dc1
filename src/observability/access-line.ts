import type { Route } from '../table/routing-table.ts'
import { jsonText } from './json-text.ts'
import type { RequestRecord } from './request-record.ts'

/** What a client makes up may be as long as its request line: so many characters of it are enough to find it. */
const LONGEST_TEXT = 1024

/**
 * Writes a request as one line of JSON. By hand, since the members and their order are known: 3.2 µs a line, where pino
 * with the same members takes 11.
 */
export class AccessLines {
  readonly #routes = new WeakMap<Route, string>()
  #second = -1
  #secondText = ''

  /** @returns With its line feed. */
  of(record: RequestRecord): string {
    const { route, consumer, decision, reason, status, traceId, userAgent } = record
    let line = `{"level":30,"time":"${this.#time(record.endedAtEpochMs)}","log":"access"`
    line += `,"client":"${record.clientAddress}","method":"${record.method}","scheme":"${record.scheme}"`
    line += `,"host":${cut(record.authority)},"path":${cut(record.path)},"protocol":"${record.protocol}"`
    line += `,"status":${status},"bytesIn":${record.requestBytes},"bytesOut":${record.responseBytes}`
    line += timesOf(record)
    if (route !== undefined) line += this.#place(route)
    if (record.upstream !== undefined) line += upstreamOf(record)
    if (decision !== undefined) {
      line += `,"plugin":${jsonText(decision.plugin)},"flow":"${decision.flow}","decision":"${decision.result}"`
    }
    if (reason !== '') line += `,"reason":"${reason}"`
    if (consumer !== undefined) line += `,"consumer":${jsonText(consumer)}`
    if (traceId !== undefined) line += `,"traceId":"${traceId}"`
    if (userAgent !== undefined) line += `,"userAgent":${cut(userAgent)}`
    return `${line},"msg":"request"}\n`
  }

  /** ISO 8601; the part before the milliseconds is made once a second. */
  #time(epochMs: number): string {
    const second = Math.floor(epochMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#secondText = new Date(second * 1000).toISOString().slice(0, 20)
    }
    return `${this.#secondText}${String(Math.floor(epochMs) - second * 1000).padStart(3, '0')}Z`
  }

  #place(route: Route): string {
    let text = this.#routes.get(route)
    if (text === undefined) {
      const { id, ingress, service } = route
      text = `,"route":${jsonText(id)},"namespace":${jsonText(ingress.namespace)}`
      text += `,"ingress":${jsonText(ingress.name)},"service":${jsonText(service)}`
      this.#routes.set(route, text)
    }
    return text
  }
}

/** How long a request took in all, and how much of that its upstream had it. */
export function durationsOf(record: RequestRecord): {
  readonly totalMs: number
  readonly upstreamMs: number
} {
  const { startedAt, sentAt, upstreamEndedAt, endedAt } = record
  const totalMs = endedAt - startedAt
  const upstreamMs = sentAt === 0 ? 0 : (upstreamEndedAt === 0 ? endedAt : upstreamEndedAt) - sentAt
  return { totalMs, upstreamMs }
}

function timesOf(record: RequestRecord): string {
  const { totalMs, upstreamMs } = durationsOf(record)
  const times = `,"durationMs":${milliseconds(totalMs)},"ownMs":${milliseconds(totalMs - upstreamMs)}`
  return record.sentAt === 0 ? times : `${times},"upstreamMs":${milliseconds(upstreamMs)}`
}

function upstreamOf({ upstream = '', endpoint, upstreamStatus, attempts }: RequestRecord): string {
  let text = `,"upstream":${jsonText(upstream)}`
  if (endpoint !== undefined) text += `,"endpoint":${jsonText(endpoint)}`
  if (upstreamStatus !== 0) text += `,"upstreamStatus":${upstreamStatus}`
  return attempts > 1 ? `${text},"attempts":${attempts}` : text
}

/** To the microsecond. */
function milliseconds(value: number): number {
  return Math.round(value * 1000) / 1000
}

function cut(text: string): string {
  return jsonText(text.length > LONGEST_TEXT ? text.slice(0, LONGEST_TEXT) : text)
}
