import type { AuthDecision, GoOn } from '../auth/decision.ts'
import { andThen } from '../auth/maybe-promise.ts'
import { messageOf } from '../errors.ts'
import type { DecisionLabels } from '../observability/request-metrics.ts'
import { currentTrace } from '../trace-context.ts'
import { findRoute, findVirtualHost } from '../table/route-index.ts'
import { refusalOfAmbiguity } from './ambiguous-path.ts'
import { auditRefusal } from './audit-refusal.ts'
import { checkClientCertificate, checkServerName } from './client-certificates/check-client-certificate.ts'
import { checkLimits } from './client-limits.ts'
import { speaksHttp10 } from './client-message.ts'
import type { Exchange } from './exchange.ts'
import { forward, isReachable } from './forward.ts'
import { asksForUpgrade, refusalOfFraming } from './framing.ts'
import { addHsts } from './hsts.ts'
import { noteDecision } from './note-decision.ts'
import { readAuthority } from './request-authority.ts'
import { readTarget } from './request-target.ts'
import { CALLBACK_PATH, CHECK_PATH, isReservedPath } from './reserved-paths.ts'
import { respondDecision, respondProblem } from './respond.ts'
import { redirectLogin, redirectRoute } from './ssl-redirect.ts'
import { admitCheck } from './traffic/check-admission.ts'
import { limitCaller } from './traffic/rate-limits.ts'
import { admit, applyRules, prepare } from './traffic/steps.ts'
import { legOf, type Leg } from './upstream/leg.ts'

/** Whether the request goes on. A promise only where a step had to ask somebody: a hot request costs none. */
type Verdict = boolean | Promise<boolean>

/** Sets its fields of the exchange, or answers and stops. */
type Step = (exchange: Exchange) => Verdict

/** Closed by default: a request reaches its upstream only through every one of these, in this order. */
const STEPS: readonly Step[] = [
  checkFraming,
  checkLimits,
  checkStarted,
  checkAuthority,
  checkTarget,
  matchHost,
  checkServerName,
  redirectLogin,
  answerReservedPath,
  answerRoutedCallback,
  matchRoute,
  applyRules,
  addHsts,
  redirectRoute,
  checkOpen,
  refuseTrace,
  admit,
  checkClientCertificate,
  authorize,
  limitCaller,
  prepare,
]

/** Answers a request. Never throws: what fails unforeseen is a 500 that reaches no upstream. */
export function handle(exchange: Exchange): void {
  const { trace } = exchange
  if (trace?.isSampled === true) currentTrace.run(trace.authorize, advance, exchange, 0)
  else advance(exchange, 0)
}

function advance(exchange: Exchange, first: number): void {
  try {
    for (let i = first; i < STEPS.length; i += 1) {
      const verdict = (STEPS[i] as Step)(exchange)
      if (verdict === true) continue
      if (verdict !== false) resumeAfter(verdict, exchange, i + 1)
      return
    }
    forward(exchange)
  } catch (error) {
    fail(exchange, error)
  }
}

/**
 * As `handle`, but what would be sent to its upstream is not: for explanations. Answers as `handle` does otherwise.
 *
 * @param reached Called with each step's name before it is taken; `forward` is the last.
 * @returns Where the request would be sent, if it would.
 */
export async function rehearse(
  exchange: Exchange,
  reached: (step: string) => void,
): Promise<Leg | undefined> {
  try {
    for (const step of STEPS) {
      reached(step.name)
      if (!(await step(exchange)) || exchange.closed) return undefined
    }
    reached(forward.name)
    const leg = legOf(exchange)
    return isReachable(exchange, leg) ? leg : undefined
  } catch (error) {
    fail(exchange, error)
    return undefined
  }
}

function resumeAfter(verdict: Promise<boolean>, exchange: Exchange, next: number): void {
  verdict.then(
    (goesOn) => {
      if (goesOn && !exchange.closed) advance(exchange, next)
    },
    (error: unknown) => fail(exchange, error),
  )
}

function fail(exchange: Exchange, error: unknown): void {
  exchange.engine.log.error({ route: exchange.route?.id, error: messageOf(error) }, 'request failed')
  if (exchange.response.headersSent) exchange.response.destroy()
  else respondProblem(exchange, 500)
}

/** Before the first compile nothing is known, least of all that a host does not exist. */
function checkStarted(exchange: Exchange): boolean {
  if (exchange.snapshot.version !== 0) return true
  const message = 'The configuration is not loaded yet.'
  respondProblem(exchange, 503, { message, reason: 'starting', headers: [['Retry-After', '1']] })
  return false
}

/** What follows on such a connection may be the rest of the request, or what a stranger hid in it. */
function checkFraming(exchange: Exchange): boolean {
  const { request, response, upgrading } = exchange
  if (upgrading === undefined && asksForUpgrade(request)) response.shouldKeepAlive = false
  const refusal = refusalOfFraming(request)
  if (refusal === undefined) return true
  response.shouldKeepAlive = false
  respondProblem(exchange, refusal.status, { message: refusal.message, reason: 'framing' })
  return false
}

function checkAuthority(exchange: Exchange): boolean {
  const { request } = exchange
  const reading = readAuthority(request.rawHeaders, request.url ?? '')
  if (!reading.ok) return refuseRequest(exchange, reading.message)
  if (reading.authority === '' && !speaksHttp10(request)) {
    return refuseRequest(exchange, 'The request has no Host field.')
  }
  exchange.authority = reading
  return true
}

function checkTarget(exchange: Exchange): boolean {
  const reading = readTarget(exchange.authority.target)
  if (!reading.ok) return refuseRequest(exchange, reading.message)
  exchange.target = reading
  return true
}

function matchHost(exchange: Exchange): boolean {
  const host = findVirtualHost(exchange.snapshot.index, exchange.authority.host)
  if (host === undefined) return answerNotFound(exchange)
  exchange.host = host
  return true
}

/** Authorization codes never reach an upstream, not even while a policy is missing. */
function answerReservedPath(exchange: Exchange): Verdict {
  const { path } = exchange.target
  if (!isReservedPath(path)) return true
  const { virtualHost } = exchange.host
  if (virtualHost.reservedClosed) return answerClosed(exchange, 'reserved_path')
  if (virtualHost.loginPolicies.length === 0) return true
  // None of them is a WebSocket, and what they do must not be had without a navigation.
  if (exchange.upgrading !== undefined) return answerNotFound(exchange)
  if (path === CALLBACK_PATH) return callback(exchange, answerNotFound)
  if (path !== CHECK_PATH) return answerOwn(exchange)
  return andThen(admitCheck(exchange), (admitted) => admitted && answerOwn(exchange))
}

/** The reserved paths other than the callback: logins, logouts, and questions about sessions. */
function answerOwn(exchange: Exchange): Verdict {
  const { engine, facts, host, snapshot } = exchange
  exchange.authorizingAt ||= engine.clock.monotonic()
  const decide = (decision: AuthDecision): false => {
    decided(exchange, decision, host.virtualHost.loginPolicies)
    if (decision.kind === 'allow') return answerNotFound(exchange)
    respondDecision(exchange, decision)
    return false
  }
  const decision = engine.authorizer.reserved(snapshot, host.virtualHost, facts)
  return decision instanceof Promise ? decision.then(decide) : decide(decision)
}

/** A `redirectUri` may be a routed path too, as in Kong's tutorials: the authorizer tells a callback from a visit. */
function answerRoutedCallback(exchange: Exchange): Verdict {
  const { virtualHost } = exchange.host
  if (virtualHost.loginPolicies.length === 0 || exchange.upgrading !== undefined) return true
  if (!exchange.snapshot.callbackPaths(virtualHost).has(exchange.target.path)) return true
  return callback(exchange, () => true)
}

function callback(exchange: Exchange, otherwise: (exchange: Exchange) => boolean): Verdict {
  const { engine, facts, host, snapshot } = exchange
  exchange.authorizingAt ||= engine.clock.monotonic()
  const decide = (decision: AuthDecision | GoOn | undefined): boolean => {
    if (decision === undefined || decision.kind === 'allow') return otherwise(exchange)
    if (decision.kind === 'go_on') return goOn(exchange, decision) && otherwise(exchange)
    decided(exchange, decision, host.virtualHost.loginPolicies, 'login')
    respondDecision(exchange, decision)
    return false
  }
  const decision = engine.authorizer.callback(snapshot, host.virtualHost, facts)
  return decision instanceof Promise ? decision.then(decide) : decide(decision)
}

/** The browser has come back from its login: from here on the request is the one that began it. */
function goOn(exchange: Exchange, login: GoOn): boolean {
  const target = readTarget(login.target)
  if (!target.ok) return refuseRequest(exchange, target.message)
  exchange.goOn(target, login)
  return true
}

function matchRoute(exchange: Exchange): boolean {
  const { host, target } = exchange
  const route = findRoute(host, target.path)
  if (route === undefined) return answerNotFound(exchange)
  exchange.route = route
  const refusal = refusalOfAmbiguity(target, host, route)
  return refusal === undefined ? true : refuseRequest(exchange, refusal)
}

function checkOpen(exchange: Exchange): boolean {
  const { route } = exchange
  if (route === undefined) return answerNotFound(exchange)
  const { accessControl, action } = route
  if (action.kind === 'closed') return answerClosed(exchange, action.reason)
  // Groups come from a policy. The compiler closes such a route; here it must not be open either.
  if (accessControl !== undefined && action.policies.length === 0) return answerClosed(exchange, 'no_policy')
  exchange.action = action
  return true
}

/** Its answer would show the client what we add for the upstream alone: tokens, identity, an Ingress's keys (RFC 9110 §9.3.8). */
function refuseTrace(exchange: Exchange): boolean {
  if (exchange.request.method !== 'TRACE') return true
  const { action, route, rules } = exchange
  const isGuarded = action.policies.length > 0 || route?.clientCertificate !== undefined
  if (!isGuarded && rules?.requestEdits === undefined) return true
  respondProblem(exchange, 405, {
    message: 'TRACE is not answered here.',
    reason: 'trace',
    headers: [['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']],
  })
  return false
}

function authorize(exchange: Exchange): Verdict {
  const { action, engine, host, route, snapshot } = exchange
  if (action.policies.length === 0 || route === undefined) return route !== undefined
  exchange.authorizingAt ||= engine.clock.monotonic()
  const decision = engine.authorizer.authorize(snapshot, host.virtualHost, route, exchange.facts)
  return decision instanceof Promise
    ? decision.then((later) => follow(exchange, later))
    : follow(exchange, decision)
}

function follow(exchange: Exchange, reached: AuthDecision): boolean {
  const { loginHeaders } = exchange
  const decision =
    loginHeaders.length === 0
      ? reached
      : { ...reached, responseHeaders: [...loginHeaders, ...reached.responseHeaders] }
  decided(exchange, decision, exchange.action.policies)
  if (decision.kind === 'allow') {
    exchange.allow = decision
    return true
  }
  respondDecision(exchange, decision)
  return false
}

/** Writes down what authorization has said, and counts it. */
function decided(
  exchange: Exchange,
  decision: AuthDecision,
  policies: readonly string[],
  event: 'login' | 'refusal' = 'refusal',
): void {
  const { engine, route } = exchange
  const labels = labelsOf(decision, policies.length === 1 ? (policies[0] ?? '') : '')
  exchange.authorizedAt = engine.clock.monotonic()
  exchange.decision = labels
  noteDecision(exchange, decision, policies)
  engine.metrics.decided(labels)
  engine.metrics.authorized(labels, (exchange.authorizedAt - exchange.authorizingAt) / 1000)
  auditRefusal(exchange, decision, event, labels.plugin)
  if (decision.kind !== 'refuse' && decision.kind !== 'unavailable') return
  const { detail, reason } = decision
  if (detail === undefined) return
  engine.log.info({ route: route?.id, plugin: labels.plugin, reason, detail }, 'request refused')
}

function labelsOf(decision: AuthDecision, plugin: string): DecisionLabels {
  if (decision.kind !== 'allow') {
    return { plugin, flow: '', result: decision.kind, reason: decision.reason }
  }
  const { method, policy } = decision.identity
  return { plugin: policy, flow: method, result: 'allow', reason: '' }
}

function refuseRequest(exchange: Exchange, message: string): false {
  respondProblem(exchange, 400, { message, reason: 'bad_request' })
  return false
}

function answerNotFound(exchange: Exchange): false {
  respondProblem(exchange, 404, { message: 'No route matches this host and path.', reason: 'no_route' })
  return false
}

function answerClosed(exchange: Exchange, reason: string): false {
  const message = 'This route is closed until its configuration is complete.'
  respondProblem(exchange, 503, { message, reason })
  return false
}
