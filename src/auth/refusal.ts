import type { Policy } from '../table/policy.ts'
import type { AuthSnapshot } from './authorize.ts'
import type { ServerUnavailable } from './authorization-server/authorization-server-client.ts'
import { basicChallenge, bearerChallenge, type BearerError, type ChallengeDetails } from './challenge.ts'
import type { AuthDecision, Redirect, Refuse, RefusalReason, Unavailable } from './decision.ts'
import { isNavigation } from './navigation.ts'
import type { RequestFacts } from './request-facts.ts'
import type { RoutePlan } from './route-plan.ts'
import type { SessionUnavailable } from './session/session.ts'

/** A request on its way through authorization. */
export interface Attempt {
  readonly snapshot: AuthSnapshot
  readonly plan: RoutePlan
  readonly facts: RequestFacts
}

/** Why, in the words of logs. */
export interface Cause {
  readonly reason: RefusalReason
  readonly detail?: string
}

/** 401 for a request without a credential: the challenges carry no `error` (RFC 6750 §3). */
export function credentialNeeded(attempt: Attempt): AuthDecision {
  return unauthorized(
    attempt,
    attempt.plan.first,
    { reason: 'no_credential' },
    bearerChallenge(attempt.facts.host),
  )
}

/** 401 for an access token that is not good. */
export function tokenRefused(attempt: Attempt, policy: Policy, cause: Cause): AuthDecision {
  const { maximumAgeSeconds } = policy.verification
  if (cause.reason !== 'authentication_too_old' || maximumAgeSeconds === undefined) {
    return unauthorized(attempt, policy, cause, challengeOf(attempt, policy, 'invalid_token'))
  }
  const challenge = challengeOf(attempt, policy, 'insufficient_user_authentication', { maximumAgeSeconds })
  return unauthorized(attempt, policy, cause, challenge)
}

/** 401 for a client that is not good: there was no access token that an error could be about. */
export function clientRefused(attempt: Attempt, policy: Policy, cause: Cause): AuthDecision {
  return unauthorized(attempt, policy, cause, bearerChallenge(attempt.facts.host))
}

/** 400 for a request with more than one access token (RFC 6750 §3.1). */
export function ambiguousRequest({ facts }: Attempt): Refuse {
  return {
    kind: 'refuse',
    status: 400,
    reason: 'invalid_request',
    message: 'Bad Request',
    wwwAuthenticate: [bearerChallenge(facts.host, 'invalid_request')],
    responseHeaders: [],
  }
}

/** What a 403 says beside its cause. */
export interface ForbiddenOptions {
  /** Instead of the policy's. */
  readonly message?: string
  readonly error?: BearerError
  readonly scope?: string
  /** See `Refuse`. */
  readonly who?: string
  readonly subject?: string
}

/** 403 for a caller who is known and may not. The session stays, and no login is started. */
export function forbidden(
  attempt: Attempt,
  policy: Policy,
  cause: Cause,
  options: ForbiddenOptions = {},
): AuthDecision {
  const { facts } = attempt
  const { error, scope, subject, who } = options
  const caller = { ...(who !== undefined && { who }), ...(subject !== undefined && { subject }) }
  const elsewhere = redirect(facts, policy.refusal.forbiddenRedirectUri, cause.reason)
  if (elsewhere !== undefined) return { ...elsewhere, ...caller }
  return {
    kind: 'refuse',
    status: 403,
    ...wordsOf(cause),
    message: messageOf(policy, options.message ?? policy.refusal.forbiddenMessage, cause),
    ...caller,
    wwwAuthenticate:
      error === undefined ? [] : [challengeOf(attempt, policy, error, scope === undefined ? {} : { scope })],
    responseHeaders: [],
  }
}

/** 503 while the authorization server gives no usable answer. */
export function serverUnavailable({ reason: detail, retryAfterSeconds }: ServerUnavailable): Unavailable {
  return {
    kind: 'unavailable',
    reason: 'authorization_server_unavailable',
    message: 'The authorization server cannot be reached at the moment',
    detail,
    retryAfterSeconds,
    responseHeaders: [],
  }
}

/** 503 where a session cannot be read or refreshed now. Its cookies stay: it may well go on. */
export function sessionUnavailable({ cause, detail, retryAfterSeconds }: SessionUnavailable): Unavailable {
  if (cause === 'authorization_server') {
    return serverUnavailable({ ok: false, kind: 'unavailable', reason: detail, retryAfterSeconds })
  }
  return {
    kind: 'unavailable',
    reason: 'session_store_unavailable',
    message: 'Sessions cannot be read at the moment',
    detail,
    retryAfterSeconds,
    responseHeaders: [],
  }
}

const MISCONFIGURED_RETRY_SECONDS = 30

/** 503 where the configuration lacks what a decision needs: nothing may pass. */
export function misconfigured(
  reason: 'policy_missing' | 'anonymous_consumer_not_found',
  detail: string,
): Unavailable {
  return {
    kind: 'unavailable',
    reason,
    message: 'An unexpected error occurred',
    detail,
    retryAfterSeconds: MISCONFIGURED_RETRY_SECONDS,
    responseHeaders: [],
  }
}

function unauthorized(attempt: Attempt, policy: Policy, cause: Cause, challenge: string): AuthDecision {
  const { facts, plan } = attempt
  const elsewhere = redirect(facts, policy.refusal.unauthorizedRedirectUri, cause.reason)
  if (elsewhere !== undefined) return elsewhere
  return {
    kind: 'refuse',
    status: 401,
    ...wordsOf(cause),
    message: messageOf(policy, policy.refusal.unauthorizedMessage, cause),
    wwwAuthenticate: plan.clients === undefined ? [challenge] : [challenge, basicChallenge(facts.host)],
    responseHeaders: [],
  }
}

/** The bare challenge where the policy tells no error codes. */
function challengeOf(
  { facts }: Attempt,
  { refusal }: Policy,
  error: BearerError,
  details?: ChallengeDetails,
): string {
  return refusal.exposeErrorCode ? bearerChallenge(facts.host, error, details) : bearerChallenge(facts.host)
}

/** The cause's detail stays in the log: it may be the authorization server's word. */
function messageOf({ refusal }: Policy, message: string, { reason }: Cause): string {
  return refusal.displayErrors ? `${message} (${reason})` : message
}

/** A cause may come with members of its own, which must not become the decision's. */
function wordsOf({ reason, detail }: Cause): Cause {
  return { reason, ...(detail !== undefined && { detail }) }
}

/** Only people are sent elsewhere, and never to the page that refused them: that would be a loop. */
function redirect(
  facts: RequestFacts,
  location: string | undefined,
  reason: RefusalReason,
): Redirect | undefined {
  if (location === undefined || !isNavigation(facts)) return undefined
  const target = URL.parse(location)
  const here = URL.parse(`${facts.scheme}://${facts.authority}${facts.path}`)
  if (target === null || (target.origin === here?.origin && target.pathname === here.pathname))
    return undefined
  return { kind: 'redirect', status: 302, location: target.href, reason, responseHeaders: [] }
}
