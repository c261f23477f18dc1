/**
 * What authorization may know of a request. The proxy fills it in once trusted-proxy rules, path normalisation and
 * the request's own checks have passed; authorization never sees a socket.
 */
export interface RequestFacts {
  /** As sent; case-sensitive. */
  readonly method: string
  /** The client's scheme, after trusted proxies. */
  readonly scheme: 'http' | 'https'
  /** Lower case, without port: what the route was matched on. */
  readonly host: string
  /** Host header, lower case, with its port where one was sent. */
  readonly authority: string
  /** The original bytes of path and query, as they go upstream. */
  readonly target: string
  /** The normalised path, without query. */
  readonly path: string
  /** Without `?`; empty where there is none. */
  readonly query: string
  /** Lower-case names. Repeated fields are joined by `, ` (Cookie by `; `), as node:http does. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** After trusted proxies. */
  readonly clientAddress: string
  /**
   * The request was let through before, and the connection that it opened is judged again: no cookie can reach the
   * browser any more, and being judged is no use of a session.
   */
  readonly established?: true
  /**
   * Reads a form-urlencoded body of up to 8 KiB, once; the proxy sends the same bytes upstream. `undefined` for any
   * other body, none, or a longer one.
   */
  form(): Promise<URLSearchParams | undefined>
}

/** Whether the body is form-urlencoded, so that `form()` may give something. */
export function isForm(facts: RequestFacts): boolean {
  return /^application\/x-www-form-urlencoded(?:\s*;|\s*$)/i.test(header(facts, 'content-type') ?? '')
}

/** The value of a header that may be sent once only; `undefined` also where it came as a list. */
export function header(facts: RequestFacts, name: string): string | undefined {
  const value = facts.headers[name]
  return typeof value === 'string' ? value : undefined
}
