import { nowSeconds } from '../clock.ts'
import type { Policy } from '../table/policy.ts'
import type { Route, VirtualHost } from '../table/routing-table.ts'
import type { AuthDependencies, Authorizer, AuthSnapshot } from './authorize.ts'
import { CacheCounts } from './cache-counts.ts'
import { CheckEndpoint } from './check-endpoint.ts'
import { findClient } from './client-credential.ts'
import { ClientCredentials } from './client-credentials.ts'
import { findAnonymous } from './consumer/find-consumer.ts'
import { findToken } from './credential.ts'
import { isCrossOriginRisk } from './cross-origin.ts'
import type { Allow, AuthDecision, HeaderList } from './decision.ts'
import { findLogout } from './logout/find-logout.ts'
import { judge, judgeAnonymous, passUnauthenticated } from './judge.ts'
import { andThen, type MaybePromise } from './maybe-promise.ts'
import { isNavigation } from './navigation.ts'
import { isPreflight } from './preflight.ts'
import {
  ambiguousRequest,
  type Attempt,
  credentialNeeded,
  forbidden,
  misconfigured,
  serverUnavailable,
  sessionUnavailable,
} from './refusal.ts'
import { createRelyingParty, type RelyingParty } from './relying-party/relying-party.ts'
import { isForm, type RequestFacts } from './request-facts.ts'
import { AccessTokens } from './resource-server/access-tokens.ts'
import { UserInfo } from './resource-server/user-info.ts'
import { RoutePlans, type RoutePlan } from './route-plan.ts'
import { credentialOf, hasExpired, isSignInTooOld } from './session-credential.ts'
import type { Session, SessionLookup, SessionUnavailable } from './session/session.ts'
import { TokenFlow } from './token-flow.ts'

/**
 * Composes the flows. The first credential found decides, in this order: session, access token (by signature or
 * introspection), client id and secret. One that is not good is final; only a session that has ended counts as none.
 * Without any, a navigation starts a login where a policy allows it, the fallback consumer stands in where one is
 * named, and everybody else is refused.
 */
export function createAuthorizer(
  deps: AuthDependencies,
  relyingParty: RelyingParty = createRelyingParty(deps),
): Authorizer {
  return new FlowAuthorizer(deps, relyingParty)
}

/** A session that may be used, and cookies of sessions that may not. */
interface OpenSession {
  readonly found?: { readonly policy: Policy; readonly session: Session; readonly setCookies: HeaderList }
  /** There may be one, and nobody can say now. */
  readonly unavailable?: SessionUnavailable
  readonly clearCookies: HeaderList
}

const NO_SESSION: OpenSession = { clearCookies: [] }
const NO_LOOKUP: SessionLookup = { kind: 'none' }

interface KnownSessionDecision {
  readonly plan: RoutePlan
  readonly decision: Allow
  readonly untilMs: number
}

class FlowAuthorizer implements Authorizer {
  readonly #deps: AuthDependencies
  readonly #relyingParty: RelyingParty
  readonly #plans = new RoutePlans()
  readonly #check = new CheckEndpoint(this.#plans)
  readonly #tokens: AccessTokens
  readonly #userInfo: UserInfo
  readonly #tokenFlow: TokenFlow
  /** By the opened session, which its store hands out while the cookie's bytes stay the same. */
  readonly #sessionDecisions = new WeakMap<Session, KnownSessionDecision>()

  constructor(deps: AuthDependencies, relyingParty: RelyingParty) {
    this.#deps = deps
    this.#relyingParty = relyingParty
    this.#tokens = new AccessTokens(deps)
    this.#userInfo = new UserInfo(deps)
    this.#tokenFlow = new TokenFlow({
      clock: deps.clock,
      tokens: this.#tokens,
      clients: new ClientCredentials(deps),
      userInfo: this.#userInfo,
      caches: deps.caches ?? new CacheCounts(),
    })
  }

  authorize(
    snapshot: AuthSnapshot,
    _host: VirtualHost,
    route: Route,
    facts: RequestFacts,
  ): MaybePromise<AuthDecision> {
    const plan = this.#plans.get(snapshot.table, route)
    if (plan === undefined)
      return misconfigured('policy_missing', 'a policy of this route is not in the table')
    if (plan.preflightsPass && isPreflight(facts)) return passUnauthenticated(plan, plan.first)
    const attempt: Attempt = { snapshot, plan, facts }
    if (plan.logouts.length === 0 || facts.established === true) return this.#decide(attempt)
    return andThen(findLogout(plan.logouts, facts), (policies) =>
      policies.length === 0 ? this.#decide(attempt) : this.#relyingParty.logOut(snapshot, policies, facts),
    )
  }

  reserved(snapshot: AuthSnapshot, host: VirtualHost, facts: RequestFacts): MaybePromise<AuthDecision> {
    const answer = this.#relyingParty.reserved(snapshot, host, facts)
    if (answer !== undefined) return answer
    const attempt = this.#check.begin(snapshot, host, facts)
    if ('kind' in attempt) return attempt
    return andThen(this.#decide(attempt), (decision) => this.#check.finish(attempt, decision))
  }

  #decide(attempt: Attempt): MaybePromise<AuthDecision> {
    const { plan, facts } = attempt
    if (plan.sessions.length === 0 || facts.headers['cookie'] === undefined) {
      return this.#withoutSession(attempt)
    }
    return andThen(this.#openSession(attempt), ({ found, unavailable, clearCookies }) => {
      if (found === undefined) {
        if (unavailable !== undefined) return adding(sessionUnavailable(unavailable), clearCookies)
        return andThen(this.#withoutSession(attempt), (decision) => adding(decision, clearCookies))
      }
      const headers = [...found.setCookies, ...clearCookies]
      return andThen(this.#judgeSession(attempt, found.policy, found.session), (decision) =>
        adding(decision, headers),
      )
    })
  }

  close(): void {
    this.#relyingParty.close()
  }

  callback(
    snapshot: AuthSnapshot,
    host: VirtualHost,
    facts: RequestFacts,
  ): ReturnType<Authorizer['callback']> {
    return this.#relyingParty.callback(snapshot, host, facts)
  }

  /** The first realm of the route with a session that has not ended. */
  #openSession(attempt: Attempt, from = 0, none: OpenSession = NO_SESSION): MaybePromise<OpenSession> {
    const { snapshot, plan, facts } = attempt
    const { clearCookies } = none
    const policy = plan.sessions[from]
    if (policy === undefined) return none
    return andThen(this.#relyingParty.openSession(snapshot, policy, facts), (lookup) =>
      andThen(this.#reverified(attempt, policy, lookup), (judged) => {
        if (judged.kind === 'session') {
          const { session, setCookies } = judged
          return { found: { policy, session, setCookies }, clearCookies }
        }
        return this.#openSession(attempt, from + 1, withoutSession(none, judged))
      }),
    )
  }

  /** A session whose token or sign-in is over counts as none; so does one whose token is no good where that is asked. */
  #reverified(attempt: Attempt, policy: Policy, lookup: SessionLookup): MaybePromise<SessionLookup> {
    if (lookup.kind !== 'session') return lookup
    const { session } = lookup
    const now = nowSeconds(this.#deps.clock)
    const isExpired = hasExpired(session, now)
    // The browser of an established connection may have a refreshed one: the store knows those that it cannot have.
    if (isExpired && attempt.facts.established !== true) return NO_LOOKUP
    if (isSignInTooOld(policy, session, now)) return NO_LOOKUP
    if (!policy.reverifiesSessions || isExpired) return lookup
    return andThen(this.#tokens.judgeIssued(attempt.snapshot, policy, session.accessToken), (judgement) => {
      if (judgement === 'unjudgeable' || judgement.ok) return lookup
      if (judgement.kind === 'rejected') return NO_LOOKUP
      const { reason: detail, retryAfterSeconds } = judgement
      return { kind: 'unavailable', cause: 'authorization_server', detail, retryAfterSeconds }
    })
  }

  #judgeSession(attempt: Attempt, policy: Policy, session: Session): MaybePromise<AuthDecision> {
    if (isCrossOriginRisk(attempt.facts, policy.session.allowedOrigins)) {
      return forbidden(attempt, policy, { reason: 'cross_origin' })
    }
    const known = this.#sessionDecisions.get(session)
    // A plan names one policy of a realm that judges sessions, so the two are enough to tell.
    const { plan } = attempt
    const isKnown = known?.plan === plan && known.decision.identity.policy === policy.id
    if (isKnown && this.#isGood(known, attempt.facts, session)) return known.decision
    const endsAtSeconds = session.accessTokenExpiresAtSeconds
    const goodUntilMs = endsAtSeconds === undefined ? undefined : endsAtSeconds * 1000
    return andThen(this.#userInfo.complete(policy, credentialOf(session), goodUntilMs), (completed) => {
      if (!completed.ok) return serverUnavailable(completed)
      const decision = judge(attempt, policy, completed.credential)
      const { untilMs } = completed
      if (decision.kind === 'allow') this.#sessionDecisions.set(session, { plan, decision, untilMs })
      return decision
    })
  }

  /** With a token that has expired nothing new can be learnt of whoever opened an established connection. */
  #isGood({ untilMs }: KnownSessionDecision, { established }: RequestFacts, session: Session): boolean {
    const now = this.#deps.clock.now()
    return now < untilMs || (established === true && hasExpired(session, Math.floor(now / 1000)))
  }

  #withoutSession(attempt: Attempt): MaybePromise<AuthDecision> {
    const { plan, facts } = attempt
    if (!plan.readsForm || !isForm(facts)) return this.#withCredential(attempt, undefined)
    return facts.form().then((form) => this.#withCredential(attempt, form))
  }

  #withCredential(attempt: Attempt, form: URLSearchParams | undefined): MaybePromise<AuthDecision> {
    const { plan, facts } = attempt
    const token = findToken(plan, facts, form)
    if (token === 'conflict') return ambiguousRequest(attempt)
    if (token !== undefined) return this.#tokenFlow.withToken(attempt, token)
    if (plan.clients !== undefined) {
      const client = findClient(plan.clients.clientCredentials, facts, form)
      if (client !== undefined) return this.#tokenFlow.withClient(attempt, plan.clients, client)
    }
    return this.#withoutCredential(attempt)
  }

  #withoutCredential(attempt: Attempt): MaybePromise<AuthDecision> {
    const { snapshot, plan, facts } = attempt
    if (plan.login !== undefined && isNavigation(facts)) {
      return this.#relyingParty.startLogin(snapshot, plan.login, facts)
    }
    if (plan.anonymous === undefined) return credentialNeeded(attempt)
    return judgeAnonymous(attempt, plan.anonymous, findAnonymous(plan.anonymous, plan.table))
  }
}

/** What is known once this realm has no session to go on with. */
function withoutSession(none: OpenSession, lookup: SessionLookup): OpenSession {
  if (lookup.kind === 'unavailable') return { ...none, unavailable: lookup }
  return lookup.kind === 'invalid'
    ? { ...none, clearCookies: [...none.clearCookies, ...lookup.clearCookies] }
    : none
}

/** Decisions may be shared between requests: headers of this one go into a copy. */
function adding(decision: AuthDecision, headers: HeaderList): AuthDecision {
  return headers.length === 0
    ? decision
    : { ...decision, responseHeaders: [...decision.responseHeaders, ...headers] }
}
