import type { AuthMethod, Policy } from '../table/policy.ts'
import type { CompiledConsumer } from '../table/routing-table.ts'
import { claimHeaders } from './claim-headers.ts'
import { firstClaim, nameClaim, type ClaimSources } from './claims.ts'
import { isAdmitted } from './consumer/access-control.ts'
import { callerGroups, type CallerGroups } from './consumer/caller-groups.ts'
import { consumerHeaders } from './consumer/consumer-headers.ts'
import { findConsumer, type ConsumerLookup } from './consumer/find-consumer.ts'
import { credentialHeaders, tokenHeader } from './credential-headers.ts'
import type { CredentialTrace } from './credential.ts'
import type { Allow, AuthDecision, Claims, Identity } from './decision.ts'
import { displayName } from './display-name.ts'
import { presetHeaders } from './preset-headers.ts'
import { forbidden, misconfigured, type Attempt, type ForbiddenOptions } from './refusal.ts'
import { findShortfall } from './requirements.ts'
import type { RoutePlan } from './route-plan.ts'
import { isOwnCookie } from './session/cookie-names.ts'

/** A credential that was accepted: who it says is asking. */
export interface Credential {
  readonly method: AuthMethod
  readonly accessToken: string
  readonly sources: ClaimSources
  /** The client that the credential was issued to, where it came with the request. */
  readonly clientId?: string
  /** A session's, where it has one, and whom it names. */
  readonly idToken?: string
  readonly idTokenSubject?: string
  /** What the introspection endpoint answered, `active` included. */
  readonly introspection?: Claims
  /** What the userinfo endpoint answered; also the last of `sources`. */
  readonly userInfo?: Claims
  readonly trace: CredentialTrace
}

/** Whom a caller is taken for on this route. */
interface Caller {
  readonly lookup: ConsumerLookup
  readonly groups: CallerGroups
  readonly credential?: Credential
}

const NOT_ADMITTED = 'You cannot consume this service'

/**
 * Judges what an accepted credential may do on this route: required claims, consumer, access control; then says how
 * the request's headers change. Nothing here is remembered across policies or routes.
 */
export function judge(attempt: Attempt, policy: Policy, credential: Credential): AuthDecision {
  const { plan } = attempt
  const { sources } = credential
  const shortfall = findShortfall(policy, sources)
  if (shortfall !== undefined) {
    const { reason, scope } = shortfall
    const options = { error: 'insufficient_scope', ...whoIs(credential) } as const
    return forbidden(attempt, policy, { reason }, { ...options, ...(scope !== undefined && { scope }) })
  }
  const lookup = findConsumer(policy, plan.table, sources)
  const caller = { lookup, groups: callerGroups(policy, lookup, sources), credential }
  return callerProblem(attempt, policy, caller) ?? allow(plan, policy, caller)
}

/** A request that passes without a credential, as the policy's fallback consumer. */
export function judgeAnonymous(attempt: Attempt, policy: Policy, lookup: ConsumerLookup): AuthDecision {
  const caller = { lookup, groups: callerGroups(policy, lookup, []) }
  const refusal = callerProblem(attempt, policy, caller)
  if (refusal !== undefined) return refusal
  return {
    ...passUnauthenticated(attempt.plan, policy),
    identity: identity(policy, 'anonymous', undefined, caller),
    setHeaders: consumerHeaders(lookup, undefined, []),
  }
}

/** A request that nobody was asked to authenticate: nothing is told of its sender. */
export function passUnauthenticated(plan: RoutePlan, policy: Policy): Allow {
  return {
    kind: 'allow',
    identity: { policy: policy.id, method: 'anonymous', groups: [] },
    removeHeaders: plan.managedHeaders,
    setHeaders: [],
    removeCookies: isOwnCookie,
    removeQuery: [],
    removeForm: [],
    responseHeaders: [],
  }
}

function callerProblem(
  attempt: Attempt,
  policy: Policy,
  { lookup, groups, credential }: Caller,
): AuthDecision | undefined {
  if (lookup.kind === 'missing')
    return forbidden(attempt, policy, { reason: 'no_consumer' }, whoIs(credential))
  if (lookup.kind === 'anonymous_missing') {
    return misconfigured('anonymous_consumer_not_found', 'anonymous consumer was not found')
  }
  if (isAdmitted(attempt.plan.route.accessControl, groups.judged)) return undefined
  return forbidden(
    attempt,
    policy,
    { reason: groups.isOverage ? 'group_overage' : 'group_denied' },
    { message: NOT_ADMITTED, ...whoIs(credential) },
  )
}

function allow(plan: RoutePlan, policy: Policy, caller: Caller & { readonly credential: Credential }): Allow {
  const { credential, lookup, groups } = caller
  const { sources, trace, method } = credential
  const subject = subjectOf(credential)
  const hidden = policy.hideCredentials ? trace : undefined
  // Later names win: no mapped claim can overwrite who the consumer is, or the token.
  const setHeaders = new Map([
    ...presetHeaders(policy, sources, credential.accessToken),
    ...claimHeaders(policy.upstreamHeaders, sources),
    ...credentialHeaders(policy, credential),
    ...consumerHeaders(lookup, credentialId(policy, credential), groups.authenticated),
    ...tokenHeader(policy, credential.accessToken),
  ])
  return {
    kind: 'allow',
    identity: identity(policy, method, subject, caller),
    removeHeaders: withNames(plan.managedHeaders, hidden?.headers ?? []),
    setHeaders: [...setHeaders],
    removeCookies: cookieFilter(hidden?.cookies ?? []),
    removeQuery: hidden?.query ?? [],
    removeForm: hidden?.form ?? [],
    responseHeaders: claimHeaders(policy.downstreamHeaders, sources),
  }
}

function whoIs(credential: Credential | undefined): Pick<ForbiddenOptions, 'who' | 'subject'> {
  if (credential === undefined) return {}
  const who = displayName(credential.sources) ?? credential.clientId
  // As the audit names whoever logs in.
  const subject = credential.idTokenSubject ?? subjectOf(credential)
  return { ...(who !== undefined && { who }), ...(subject !== undefined && { subject }) }
}

function subjectOf({ clientId, sources }: Credential): string | undefined {
  return nameClaim(firstClaim(sources, ['sub'])) ?? clientId
}

/** Tokens of clients may name no subject: then the client itself is one, unless another claim was asked for. */
function credentialId({ consumer }: Policy, { sources, clientId }: Credential): string | undefined {
  const claim = nameClaim(firstClaim(sources, consumer.credentialClaim))
  return claim ?? (consumer.credentialClaim.join() === 'sub' ? clientId : undefined)
}

function identity(
  policy: Policy,
  method: Identity['method'],
  subject: string | undefined,
  { lookup, groups }: Caller,
): Identity {
  const consumer = lookup.kind === 'found' ? lookup.consumer : undefined
  return {
    policy: policy.id,
    method,
    ...(subject !== undefined && { subject }),
    ...(consumer !== undefined && { consumer: named(consumer) }),
    groups: [...(groups.judged ?? [])],
  }
}

function named({ id, username, customId, rateLimits }: CompiledConsumer): NonNullable<Identity['consumer']> {
  return {
    id,
    ...(username !== undefined && { username }),
    ...(customId !== undefined && { customId }),
    ...(rateLimits !== undefined && { rateLimits }),
  }
}

/** The same list where nothing is new, which is nearly always: Authorization is managed by default. */
function withNames(names: readonly string[], more: readonly string[]): readonly string[] {
  return more.every((name) => names.includes(name)) ? names : [...new Set([...names, ...more])]
}

function cookieFilter(names: readonly string[]): (name: string) => boolean {
  return names.length === 0 ? isOwnCookie : (name) => isOwnCookie(name) || names.includes(name)
}
