import type { AuthDecision, HeaderList, Respond } from '../auth/decision.ts'
import { isPageLoad } from '../auth/navigation.ts'
import { messageOf } from '../errors.ts'
import type { Exchange } from './exchange.ts'
import { grpcRefusal } from './grpc-refusal.ts'
import { ownPage } from './own-page.ts'
import { refusalPage } from './page.ts'
import { ownHeaders, problem, statusPhrase, type ProblemOptions, type ProblemResponse } from './problem.ts'
import { discardRest } from './upload.ts'

const SIGN_OUT_PATH = '/oauth2/sign_out'

/** For logs alone: what it was, another line of the log says. */
const INTERNAL_ERROR = 'internal_error'

/** Answers with a response of our own. Does nothing where one has begun already. */
export function respond(exchange: Exchange, own: ProblemResponse): void {
  const { request, response } = exchange
  if (response.headersSent || response.destroyed) return
  if (exchange.engine.draining) response.shouldKeepAlive = false
  // The phrase is given because a failed attempt to write the upstream's leaves that behind.
  if (request.method !== 'HEAD') exchange.responseBytes = Buffer.byteLength(own.body)
  for (const [name, value] of exchange.policyHeaders) own.headers.push(name, value)
  try {
    response.writeHead(own.status, statusPhrase(own.status), own.headers)
    response.end(own.body)
  } catch (error) {
    // Whatever cannot be written must not end in whoever called: it would end the thread, or the request never.
    exchange.engine.log.error({ route: exchange.route?.id, error: messageOf(error) }, 'answer not writable')
    response.writeHead(500, statusPhrase(500), ['Content-Length', '0', 'Server', 'ostiary'])
    response.end()
  }
  exchange.ended()
  discardRest(request)
}

/** Answers with `application/problem+json`, or as gRPC has it, with what authorization adds to the response. */
export function respondProblem(exchange: Exchange, status: number, options: ProblemOptions = {}): void {
  const headers = [...(options.headers ?? []), ...exchange.decisionHeaders]
  const message = options.message ?? statusPhrase(status)
  exchange.reason = options.reason ?? INTERNAL_ERROR
  const grpc = grpcRefusal(exchange.request.headers['content-type'], status, message, headers)
  respond(exchange, grpc ?? problem(status, { ...options, headers }))
}

/** Answers with a decision that is not to forward. */
export function respondDecision(
  exchange: Exchange,
  decision: Exclude<AuthDecision, { kind: 'allow' }>,
): void {
  exchange.reason = decision.reason
  switch (decision.kind) {
    case 'redirect': {
      if (exchange.upgrading !== undefined) {
        const message = 'A WebSocket cannot be sent elsewhere.'
        const { reason, responseHeaders } = decision
        respond(exchange, problem(403, { message, reason, headers: responseHeaders }))
        return
      }
      const headers: HeaderList = [['Location', decision.location], ...decision.responseHeaders]
      respond(exchange, { status: decision.status, headers: ownHeaders('text/plain', '', headers), body: '' })
      return
    }
    case 'respond':
      respond(exchange, ownResponse(decision))
      return
    case 'refuse': {
      const challenges = decision.wwwAuthenticate.map((value) => ['WWW-Authenticate', value] as const)
      refuse(exchange, decision.status, decision, [...challenges, ...decision.responseHeaders])
      return
    }
    case 'unavailable': {
      const retryAfter = ['Retry-After', String(decision.retryAfterSeconds)] as const
      refuse(exchange, 503, decision, [retryAfter, ...decision.responseHeaders])
      return
    }
  }
}

function ownResponse({ status, body, responseHeaders }: Respond): ProblemResponse {
  if (body.kind === 'page') return ownPage(status, body.page, responseHeaders)
  const [contentType, text] =
    body.kind === 'json' ? ['application/json', JSON.stringify(body.value)] : ['text/plain', '']
  return { status, headers: ownHeaders(contentType, text, responseHeaders), body: text }
}

type Refusal = Extract<AuthDecision, { kind: 'refuse' | 'unavailable' }>

function refuse(exchange: Exchange, status: number, refusal: Refusal, headers: HeaderList): void {
  const { message, reason } = refusal
  const grpc = grpcRefusal(exchange.request.headers['content-type'], status, message, headers)
  respond(
    exchange,
    grpc ??
      readableRefusal(exchange, status, refusal, headers) ??
      problem(status, { message, reason, headers }),
  )
}

function readableRefusal(
  { facts, host }: Exchange,
  status: number,
  refusal: Refusal,
  headers: HeaderList,
): ProblemResponse | undefined {
  if (!isPageLoad(facts)) return undefined
  const { message, reason } = refusal
  const who = refusal.kind === 'refuse' ? refusal.who : undefined
  // Somebody else may be let in. The path exists where people sign in.
  const signOut = who !== undefined && host.virtualHost.loginPolicies.length > 0
  return refusalPage(status, {
    message,
    reason,
    headers,
    ...(who !== undefined && { who }),
    ...(signOut && { signOutPath: SIGN_OUT_PATH }),
  })
}
