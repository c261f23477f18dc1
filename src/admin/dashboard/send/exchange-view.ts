import { STATUS_CODES } from 'node:http'
import { maskedAddress, maskedBody, maskedRequestValue, maskedResponseValue } from './masked.ts'
import type { SentRequest } from './sent-request.ts'

/** A request that was sent and what came back, without secrets. */
export interface ExchangeView {
  readonly request: {
    readonly line: string
    readonly fields: readonly ShownField[]
    readonly leftOut: readonly string[]
  }
  readonly answer:
    | {
        readonly status: number
        readonly statusText: string
        readonly fields: readonly ShownField[]
        readonly body: string
        readonly isCut: boolean
        /** Of Ostiary's own answers, a stable word. */
        readonly reason?: string
        readonly durationMs: number
      }
    /** Nothing came back. */
    | { readonly problem: string }
}

export type ShownField = readonly [name: string, value: string]

/** What arrived, as node gives it. */
export interface Arrived {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
  readonly isCut: boolean
  readonly durationMs: number
}

export function viewRequest({ fields, leftOut, method, target }: SentRequest): ExchangeView['request'] {
  return {
    line: `${method} ${maskedAddress(target)}`,
    fields: fields.map(([name, value]) => [name, maskedRequestValue(name, value)]),
    leftOut,
  }
}

export function viewExchange(
  sent: SentRequest,
  { body, durationMs, headers, isCut, status }: Arrived,
): ExchangeView {
  const secrets = sent.fields.filter(([name, value]) => maskedRequestValue(name, value) !== value)
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): ShownField => [name, maskedResponseValue(name, each)]),
  )
  const reason = reasonIn(headers, body)
  const shown = isText(headers)
    ? maskedBody(
        body.toString('utf8'),
        secrets.map(([, value]) => value),
      )
    : `(${body.length}${isCut ? ' or more' : ''} bytes that are no plain text)`
  return {
    request: viewRequest(sent),
    answer: {
      status,
      statusText: STATUS_CODES[status] ?? '',
      fields,
      body: shown,
      isCut,
      durationMs,
      ...(reason !== undefined && { reason }),
    },
  }
}

function isText(headers: Arrived['headers']): boolean {
  const type = [headers['content-type'] ?? ''].flat().join()
  const isPlain = headers['content-encoding'] === undefined
  return isPlain && (type === '' || /^text\/|json|xml|javascript|x-www-form-urlencoded/i.test(type))
}

/** Ostiary's refusals are problems (RFC 9457) with a reason. */
function reasonIn(headers: Arrived['headers'], body: Buffer): string | undefined {
  if (headers['content-type'] !== 'application/problem+json' || headers['server'] !== 'ostiary')
    return undefined
  try {
    const { reason } = JSON.parse(body.toString('utf8')) as { reason?: unknown }
    return typeof reason === 'string' ? reason : undefined
  } catch {
    return undefined
  }
}
