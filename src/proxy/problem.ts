import { STATUS_CODES } from 'node:http'
import type { HeaderList } from '../auth/decision.ts'

/** A whole response of our own: `writeHead(status, headers)`, then `end(body)`. */
export interface ProblemResponse {
  readonly status: number
  /** Raw name and value list, Content-Type and Content-Length included. */
  readonly headers: string[]
  readonly body: string
}

/** What a refusal says beside its status. Nothing here may hold a credential or an internal address. */
export interface ProblemOptions {
  /** For people, the `message` member that Kong's users read. Default: the status's phrase. */
  readonly message?: string
  /** What to do about it. */
  readonly detail?: string
  /** A stable word for programs. */
  readonly reason?: string
  /** Added to ours: WWW-Authenticate, Retry-After, Set-Cookie. A Cache-Control replaces ours, `no-store`. */
  readonly headers?: HeaderList
}

/** A refusal as `application/problem+json` (RFC 9457), never cached. */
export function problem(status: number, options: ProblemOptions = {}): ProblemResponse {
  const title = statusPhrase(status)
  const body = JSON.stringify({
    type: 'about:blank',
    title,
    status,
    message: options.message ?? title,
    detail: options.detail,
    reason: options.reason,
  })
  return { status, headers: ownHeaders('application/problem+json', body, options.headers ?? []), body }
}

/** The phrase of a status (RFC 9110 §15), which is also a problem's title where its type is `about:blank`. */
export function statusPhrase(status: number): string {
  return STATUS_CODES[status] ?? 'Error'
}

/** The header list of a response of our own, in the form that `writeHead` takes. */
export function ownHeaders(contentType: string, body: string, added: HeaderList): string[] {
  const hasCacheControl = added.some(([name]) => name.toLowerCase() === 'cache-control')
  const own: HeaderList = [
    ['Content-Type', contentType],
    ['Content-Length', String(Buffer.byteLength(body))],
    ['X-Content-Type-Options', 'nosniff'],
    ['Server', 'ostiary'],
    ...(hasCacheControl ? [] : [['Cache-Control', 'no-store'] as const]),
  ]
  return [...own, ...added].flat()
}
