import type { AuthDecision, HeaderList } from '../auth/decision.ts'
import { isNavigation } from '../auth/navigation.ts'
import type { Exchange } from './exchange.ts'
import { refusalPage } from './page.ts'
import { ownHeaders, problem, statusPhrase, type ProblemOptions, type ProblemResponse } from './problem.ts'
import { discardRest } from './upload.ts'

/** Answers with a response of our own. Does nothing where one has begun already. */
export function respond(exchange: Exchange, own: ProblemResponse): void {
  const { request, response } = exchange
  if (response.headersSent || response.destroyed) return
  if (exchange.engine.draining) response.shouldKeepAlive = false
  // The phrase is given because a failed attempt to write the upstream's leaves that behind.
  response.writeHead(own.status, statusPhrase(own.status), own.headers)
  response.end(own.body)
  discardRest(request)
}

/** Answers with `application/problem+json`, with what authorization adds to the response. */
export function respondProblem(exchange: Exchange, status: number, options: ProblemOptions = {}): void {
  const headers = [...(options.headers ?? []), ...exchange.addedHeaders]
  respond(exchange, problem(status, { ...options, headers }))
}

/** Answers with a decision that is not to forward. */
export function respondDecision(
  exchange: Exchange,
  decision: Exclude<AuthDecision, { kind: 'allow' }>,
): void {
  switch (decision.kind) {
    case 'redirect': {
      const headers: HeaderList = [['Location', decision.location], ...decision.responseHeaders]
      respond(exchange, { status: decision.status, headers: ownHeaders('text/plain', '', headers), body: '' })
      return
    }
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

type Refusal = Extract<AuthDecision, { kind: 'refuse' | 'unavailable' }>

function refuse(exchange: Exchange, status: number, refusal: Refusal, headers: HeaderList): void {
  const { message, reason } = refusal
  const who = refusal.kind === 'refuse' && refusal.who !== undefined ? { who: refusal.who } : {}
  const own = isNavigation(exchange.facts)
    ? refusalPage(status, { message, reason, headers, ...who })
    : problem(status, { message, reason, headers })
  respond(exchange, own)
}
