import type { HeaderList } from '../auth/decision.ts'

/** A whole response of our own: `writeHead(status, headers)`, `end(body)`. */
export interface ProblemResponse {
  readonly status: number
  /** Raw name and value list, Content-Type and Content-Length included. */
  readonly headers: string[]
  readonly body: string
}
export interface ProblemOptions {
  /** For people: the `message` member. Default: the status's phrase. */
  readonly message?: string
  readonly detail?: string
  /** A stable word. */
  readonly reason?: string
  /** Added to ours: WWW-Authenticate, Retry-After, Set-Cookie. */
  readonly headers?: HeaderList
}
export declare function problem(status: number, options?: ProblemOptions): ProblemResponse
