import type { IncomingMessage, ServerResponse } from 'node:http'

/** One request at the server, read as far as every endpoint needs it. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  /** Of the body when it is form-urlencoded, else empty. */
  readonly form: URLSearchParams
}

/** An answer that is ours, not oidc-provider's. An object as body goes out as JSON. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | object
}

const BODY_LIMIT = 64 * 1024

/** @returns undefined when the body is larger than 64 KiB. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > BODY_LIMIT) return undefined
    chunks.push(chunk)
  }
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false
  return new URLSearchParams(isForm ? Buffer.concat(chunks).toString('utf8') : '')
}

export function send(response: ServerResponse, reply: Reply): void {
  const isJson = typeof reply.body === 'object'
  response.writeHead(reply.status, {
    'Cache-Control': 'no-cache, no-store',
    ...(isJson && { 'Content-Type': 'application/json' }),
    ...reply.headers,
  })
  response.end(isJson ? JSON.stringify(reply.body) : reply.body)
}

/** The error body of OAuth 2.0, RFC 6749 §5.2, with Okta's wording. */
export function oauthError(status: number, error: string, description: string): Reply {
  return { status, body: { error, error_description: description } }
}

/** The error body of Okta's own APIs, which a few OAuth refusals use too. */
export function oktaError(status: number, code: string, summary: string): Reply {
  return {
    status,
    body: {
      errorCode: code,
      errorSummary: summary,
      errorLink: code,
      errorId: `oae${crypto.randomUUID().replaceAll('-', '').slice(0, 22)}`,
      errorCauses: [],
    },
  }
}
