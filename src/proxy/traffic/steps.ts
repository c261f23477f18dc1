import { isPreflight } from '../../auth/preflight.ts'
import type { PermanentRedirect } from '../../table/route-traffic.ts'
import type { Exchange } from '../exchange.ts'
import { ownHeaders } from '../problem.ts'
import { readTarget } from '../request-target.ts'
import { respond, respondProblem } from '../respond.ts'
import { hasBody } from '../upload.ts'
import { limitAnybody } from './rate-limits.ts'
import { MAXIMUM_MATCHED_LENGTH } from './rewrite.ts'
import { rulesOf, type RouteRules } from './route-rules.ts'
import { sentPath } from './upstream-target.ts'

/** Finds the route's rules. From here on every answer carries CORS headers, so that scripts can read why. */
export function applyRules(exchange: Exchange): boolean {
  const { route } = exchange
  if (route?.traffic === undefined) return true
  const rules = rulesOf(route)
  exchange.rules = rules
  if (rules?.cors !== undefined) {
    exchange.policyHeaders = rules.cors.responseHeaders(exchange.request.headers.origin)
  }
  return true
}

/** What is decided without knowing who asks. */
export function admit(exchange: Exchange): boolean | Promise<boolean> {
  const { rules } = exchange
  if (rules === undefined) return true
  return (
    admitSource(exchange, rules) &&
    redirect(exchange, rules.traffic.redirect) &&
    answerPreflight(exchange, rules) &&
    admitLength(exchange, rules) &&
    limitAnybody(exchange, exchange.route, rules.traffic.rateLimits)
  )
}

/** What is left to do once the request is authorized: nothing here may change what guarded it. */
export function prepare(exchange: Exchange): boolean {
  const { rules } = exchange
  if (rules === undefined) return true
  return admitBuffered(exchange, rules) && rewritePath(exchange, rules)
}

function admitSource(exchange: Exchange, { source }: RouteRules): boolean {
  if (source === undefined || source.admits(exchange.view.clientAddress)) return true
  respondProblem(exchange, 403, {
    message: 'Requests from this address are not allowed here.',
    reason: 'source_address',
  })
  return false
}

function redirect(exchange: Exchange, to: PermanentRedirect | undefined): boolean {
  if (to === undefined) return true
  // A target begins with a slash, so that it cannot become part of the host before it.
  const location = to.appendsTarget ? `${to.location}${exchange.authority.target}` : to.location
  const headers = ownHeaders('text/plain', '', [['Location', location]])
  exchange.reason = 'permanent_redirect'
  respond(exchange, { status: to.status, headers, body: '' })
  return false
}

/** A true preflight carries no credentials, and asks about the route alone; any other OPTIONS is a request. */
function answerPreflight(exchange: Exchange, { cors }: RouteRules): boolean {
  if (cors === undefined || exchange.request.method !== 'OPTIONS') return true
  const { facts } = exchange
  if (!isPreflight(facts)) return true
  if (!cors.allows(exchange.request.headers.origin ?? '')) {
    const message = 'Scripts of this origin may not send requests here.'
    respondProblem(exchange, 403, { message, reason: 'cors_origin' })
    return false
  }
  const headers = ['Server', 'ostiary', ...cors.preflightHeaders.flat()]
  exchange.reason = 'preflight'
  respond(exchange, { status: 204, headers, body: '' })
  return false
}

function admitLength(exchange: Exchange, { traffic: { maximumBodyBytes } }: RouteRules): boolean {
  if (maximumBodyBytes === undefined || !hasBody(exchange.request)) return true
  const length = exchange.request.headers['content-length']
  // A body of unknown length is counted while it streams: see `Upload`.
  if (length === undefined || Number(length) <= maximumBodyBytes) return true
  return refuseBody(exchange, maximumBodyBytes)
}

/** Authorization has read the whole body, as it does with forms. */
function admitBuffered(exchange: Exchange, { traffic: { maximumBodyBytes } }: RouteRules): boolean {
  if (maximumBodyBytes === undefined) return true
  if ((exchange.bufferedBody?.byteLength ?? 0) <= maximumBodyBytes) return true
  return refuseBody(exchange, maximumBodyBytes)
}

/** Answers 413. */
export function refuseBody(exchange: Exchange, maximumBytes: number): false {
  const message = `The body is larger than ${maximumBytes} bytes.`
  respondProblem(exchange, 413, { message, reason: 'body_too_large' })
  return false
}

function rewritePath(exchange: Exchange, { rewriter }: RouteRules): boolean {
  if (rewriter === undefined) return true
  const path = sentPath(exchange)
  if (rewriter.hasPattern && path.length > MAXIMUM_MATCHED_LENGTH) {
    respondProblem(exchange, 414, {
      message: 'The path is too long to be rewritten.',
      reason: 'path_too_long',
    })
    return false
  }
  const rewritten = rewriter.rewrite(path)
  if (rewritten === undefined) {
    respondProblem(exchange, 404, { message: 'No route matches this host and path.', reason: 'no_rewrite' })
    return false
  }
  if (!isPlainTarget(exchange, rewritten)) {
    const message = 'The path cannot be rewritten to one that is read in one way only.'
    respondProblem(exchange, 400, { message, reason: 'bad_request' })
    return false
  }
  exchange.upstreamPath = rewritten
  return true
}

/** Joining accepted pieces can give a dot segment, or two slashes that some take for a host. */
function isPlainTarget({ route }: Exchange, path: string): boolean {
  const reading = readTarget(path)
  if (!reading.ok || route === undefined || path.startsWith('//')) return false
  if (reading.encodedSlash && !route.allowEncodedSlash) return false
  return !reading.doubleSlash || route.allowDoubleSlash
}
