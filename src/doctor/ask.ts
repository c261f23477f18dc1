import { request, type Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'

/** An answer as it came, or the code of the network or TLS error that came in its place. */
export type Asked =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: Readonly<Record<string, string | string[] | undefined>>
      readonly body: string
      /** The middle between sending and the first byte of the answer, in milliseconds since the epoch. */
      readonly atMs: number
    }
  | { readonly ok: false; readonly code: string }

/** Sends one GET and follows no redirect. Never rejects. */
export type Ask = (url: string, accept: string) => Promise<Asked>

export interface AskOptions {
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly timeoutMs: number
  readonly userAgent: string
}

/** The dispatcher decides on TLS, on addresses that are refused, and on how long a body may be. */
export function createAsk({ dispatcher, clock, timeoutMs, userAgent }: AskOptions): Ask {
  return async (url, accept) => {
    try {
      const sentAtMs = clock.now()
      const { statusCode, headers, body } = await request(url, {
        dispatcher,
        headers: { accept, 'accept-encoding': 'identity', 'user-agent': userAgent },
        signal: AbortSignal.timeout(timeoutMs),
      })
      const atMs = (sentAtMs + clock.now()) / 2
      return { ok: true, status: statusCode, headers, body: await body.text(), atMs }
    } catch (error) {
      return { ok: false, code: codeOf(error) }
    }
  }
}

/** Codes only: messages quote what the other side sent. */
function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'ETIMEDOUT'
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'unknown error'
  return typeof error.code === 'string' ? error.code : 'unknown error'
}
