import { request, type Dispatcher } from 'undici'
import type { Clock } from '../../clock.ts'
import { currentTrace } from '../../trace-context.ts'
import type { TraceParent } from '../../trace-parent.ts'
import type { AuthorizationServer } from '../../table/policy.ts'
import type { AddressGuard } from './address-guard.ts'
import type { Answer, ServerUnavailable } from './authorization-server-client.ts'
import { parseJsonObject } from './json-object.ts'
import { retryAfterSeconds, type ResponseHeaders } from './retry-after.ts'
import { secretsOf } from './request-secrets.ts'
import { readErrorBody, refusal } from './okta-error.ts'
import { createServerAgent, MAXIMUM_RESPONSE_BYTES, type OutboundProxies } from './server-agent.ts'
import { unavailable } from './unavailable.ts'

/** The endpoints that are called, as metrics and reasons name them. */
export type EndpointName = 'discovery' | 'jwks' | 'token' | 'introspection' | 'revocation' | 'userinfo'

/** One HTTP call to an authorization server, once it is over. Holds no credential: fit for logs and metrics. */
export interface OutboundCall {
  readonly serverId: string
  readonly issuer: string
  readonly endpoint: EndpointName
  readonly outcome: 'ok' | 'refused' | 'unavailable'
  readonly durationMs: number
  /** Of the request that needed it first, where that is traced. */
  readonly trace?: TraceParent
}

/** What calls need of the world. */
export interface OutboundDependencies {
  readonly clock: Clock
  readonly guard: AddressGuard
  /** The controller's own; policies may name others. Default: none. */
  readonly proxies?: OutboundProxies
  readonly userAgent: string
  readonly onCall?: (call: OutboundCall) => void
}

/** One call. GET without `form`, else POST. */
export interface OutboundRequest {
  readonly endpoint: EndpointName
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: URLSearchParams
  /** Sent again where the connection broke before an answer: harmless for all but single-use credentials. */
  readonly repeatable: boolean
  /** A 200 is an answer whatever its body, which is read as `{}` (RFC 7009 §2.2). */
  readonly bodyIgnored?: boolean
  /** Statuses by which the server says that the token in the headers is not good. */
  readonly refusedBy?: readonly number[]
  /** Where this is to take less than the policy's time-out. */
  readonly timeoutMs?: number
}

/** A JSON object that came with status 200, whatever its content type. */
export interface JsonResponse {
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: ResponseHeaders
}

/** A kept-alive connection that the server closed while the request was on its way. */
const BROKEN_CONNECTION = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** Calls one authorization server and judges what comes back as far as HTTP and JSON go. Never rejects. */
export class OutboundFetch {
  readonly #server: AuthorizationServer
  readonly #dependencies: OutboundDependencies
  readonly #agent: Dispatcher
  /** Endpoints whose rate limit is used up. */
  readonly #pauses = new Map<EndpointName, number>()
  #closed = false

  constructor(server: AuthorizationServer, dependencies: OutboundDependencies) {
    this.#server = server
    this.#dependencies = dependencies
    this.#agent = createServerAgent(server, dependencies.guard, dependencies.proxies)
  }

  /**
   * Status 200 with a JSON object is an answer; on POST, a 4xx with an OAuth or Okta error is a refusal; all else
   * (redirects, 429, 5xx, HTML, more than 1 MiB, nothing within the policy's time-out) is unavailable. After a 429 the
   * endpoint is not called until the time that it named: who goes on asking is kept out for longer.
   */
  async call(outbound: OutboundRequest): Promise<Answer<JsonResponse>> {
    const pauseSeconds = this.#pauseSeconds(outbound.endpoint)
    if (pauseSeconds > 0) return failure(outbound, 'has used up its rate limit', pauseSeconds)
    const trace = currentTrace.getStore()
    const startedMs = this.#dependencies.clock.monotonic()
    const answer = await this.#exchange(outbound)
    const durationMs = this.#dependencies.clock.monotonic() - startedMs
    this.#report(outbound.endpoint, answer, { durationMs, ...(trace !== undefined && { trace }) })
    return answer
  }

  /** Lets running calls end and closes the connections. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#agent.close()
  }

  #pauseSeconds(endpoint: EndpointName): number {
    const untilMs = this.#pauses.get(endpoint)
    return untilMs === undefined ? 0 : Math.ceil((untilMs - this.#dependencies.clock.monotonic()) / 1000)
  }

  async #exchange(outbound: OutboundRequest): Promise<Answer<JsonResponse>> {
    const { timeoutMs } = this.#server
    const signal = AbortSignal.timeout(Math.min(timeoutMs, outbound.timeoutMs ?? timeoutMs))
    try {
      const response = await this.#send(outbound, signal)
      const text = await response.body.text()
      return this.#judge(outbound, response, text)
    } catch (error) {
      return failed(outbound, error)
    }
  }

  async #send(outbound: OutboundRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData<unknown>> {
    try {
      return await request(outbound.url, this.#options(outbound, signal))
    } catch (error) {
      if (!outbound.repeatable || !BROKEN_CONNECTION.has(codeOf(error))) throw error
      return request(outbound.url, this.#options(outbound, signal))
    }
  }

  #options(outbound: OutboundRequest, signal: AbortSignal): Parameters<typeof request>[1] {
    const { form } = outbound
    return {
      dispatcher: this.#agent,
      method: form ? 'POST' : 'GET',
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...outbound.headers,
        'user-agent': this.#dependencies.userAgent,
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      body: form ? form.toString() : null,
      signal,
    }
  }

  #judge(
    outbound: OutboundRequest,
    response: Dispatcher.ResponseData<unknown>,
    text: string,
  ): Answer<JsonResponse> {
    const { statusCode, headers } = response
    const body = parseJsonObject(text)
    if (statusCode === 200 && outbound.bodyIgnored === true) return { ok: true, value: { body: {}, headers } }
    if (statusCode === 200) {
      return body ? { ok: true, value: { body, headers } } : failure(outbound, 'answered with no JSON object')
    }
    if (outbound.refusedBy?.includes(statusCode) === true) return refusal('invalid_token', undefined, [])
    if (outbound.form && statusCode >= 400 && statusCode < 500 && statusCode !== 429) {
      const refused = readErrorBody(body, secretsOf(outbound.headers, outbound.form))
      if (refused && !TEMPORARY_ERRORS.has(refused.error)) return refused
    }
    const seconds = retryAfterSeconds(statusCode, headers, this.#dependencies.clock.now())
    if (statusCode === 429) {
      this.#pauses.set(outbound.endpoint, this.#dependencies.clock.monotonic() + seconds * 1000)
    }
    return failure(outbound, `answered with status ${statusCode}`, seconds)
  }

  #report(
    endpoint: EndpointName,
    answer: Answer<unknown>,
    more: Pick<OutboundCall, 'durationMs' | 'trace'>,
  ): void {
    const outcome = answer.ok ? 'ok' : answer.kind
    const { id: serverId, issuer } = this.#server
    try {
      this.#dependencies.onCall?.({ serverId, issuer, endpoint, outcome, ...more })
    } catch {
      // A broken metric must not become a refused request.
    }
  }
}

/** RFC 6749 §4.1.2.1: about the server, not about what it was asked. */
export const TEMPORARY_ERRORS: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable'])

function failure(outbound: OutboundRequest, what: string, retryAfter?: number): ServerUnavailable {
  return unavailable(`${outbound.endpoint} endpoint at ${outbound.url.host} ${what}`, retryAfter)
}

function failed(outbound: OutboundRequest, error: unknown): ServerUnavailable {
  const code = codeOf(error)
  if (code === 'ADDRESS_REFUSED') {
    return failure(outbound, 'is a loopback, link-local or unspecified address, which is not allowed here')
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return failure(outbound, `answered with more than ${MAXIMUM_RESPONSE_BYTES} bytes`)
  }
  if (error instanceof Error && error.name === 'TimeoutError') return failure(outbound, 'timed out')
  return failure(outbound, `cannot be reached: ${code}`)
}

/** Codes only: messages of TLS and HTTP parsers quote what the other side sent. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'unknown error'
  return typeof error.code === 'string' ? error.code : 'unknown error'
}
