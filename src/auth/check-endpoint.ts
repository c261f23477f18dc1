import type { Policy } from '../table/policy.ts'
import type { Route, VirtualHost } from '../table/routing-table.ts'
import type { AuthSnapshot } from './authorize.ts'
import { bearerChallenge } from './challenge.ts'
import type { AuthDecision, Respond } from './decision.ts'
import { namedPolicies } from './named-policies.ts'
import { withoutNavigation } from './navigation.ts'
import { answeredPresetHeaders } from './preset-headers.ts'
import type { Attempt } from './refusal.ts'
import type { RequestFacts } from './request-facts.ts'
import type { RoutePlan, RoutePlans } from './route-plan.ts'

const METHODS = ['GET', 'HEAD']

const METHOD_NOT_ALLOWED: Respond = {
  kind: 'respond',
  status: 405,
  reason: 'auth',
  body: { kind: 'none' },
  responseHeaders: [['allow', METHODS.join(', ')]],
}

/**
 * `/oauth2/auth`: whether the request itself carries a session or token that the host's login policies, or the one that
 * `plugin` names, would let pass; for proxies that ask before they forward. The answer is 200, 401 or 403, never a
 * redirect, and depends on nothing that a header claims about another request (X-Forwarded-Uri and the like).
 */
export class CheckEndpoint {
  readonly #plans: RoutePlans
  readonly #routes = new WeakMap<VirtualHost, Map<string, Route>>()
  readonly #strictPlans = new WeakMap<RoutePlan, RoutePlan>()

  /** @param plans The authorizer's own: with others, decisions on a plan of theirs would pass for those on one of its. */
  constructor(plans: RoutePlans) {
    this.#plans = plans
  }

  /** The request as it is to be judged, or the answer where there is nothing to judge. */
  begin(snapshot: AuthSnapshot, host: VirtualHost, facts: RequestFacts): Attempt | AuthDecision {
    if (!METHODS.includes(facts.method)) return METHOD_NOT_ALLOWED
    const policies = namedPolicies(snapshot, host, new URLSearchParams(facts.query))
    const plan =
      policies.length === 0 ? undefined : this.#plans.get(snapshot.table, this.#routeOf(host, policies))
    if (plan === undefined) return unauthenticated(facts)
    return { snapshot, plan: this.#strict(plan), facts: withoutNavigation(facts) }
  }

  /** What the decision on the request means to who asked. */
  finish({ plan, facts }: Attempt, decision: AuthDecision): AuthDecision {
    if (decision.kind !== 'allow') return decision
    const { identity, setHeaders, responseHeaders } = decision
    const policy = plan.policies.find(({ id }) => id === identity.policy)
    if (policy === undefined || identity.method === 'anonymous') return unauthenticated(facts)
    return {
      kind: 'respond',
      status: 200,
      reason: 'auth',
      body: { kind: 'none' },
      responseHeaders: [...answeredPresetHeaders(policy, setHeaders), ...responseHeaders],
    }
  }

  /** Nobody passes here but by a credential of their own. */
  #strict(plan: RoutePlan): RoutePlan {
    let strict = this.#strictPlans.get(plan)
    if (strict === undefined) {
      strict = { ...plan, login: undefined, anonymous: undefined, logouts: [], preflightsPass: false }
      this.#strictPlans.set(plan, strict)
    }
    return strict
  }

  /** A route that is none: the policies are judged without any route's own groups. */
  #routeOf(host: VirtualHost, policies: readonly Policy[]): Route {
    let routes = this.#routes.get(host)
    if (routes === undefined) this.#routes.set(host, (routes = new Map<string, Route>()))
    const ids = policies.map(({ id }) => id)
    let route = routes.get(ids.join())
    if (route === undefined) routes.set(ids.join(), (route = checkRoute(ids)))
    return route
  }
}

function checkRoute(policies: readonly string[]): Route {
  return {
    id: '/oauth2/auth',
    ingress: { namespace: '', name: '' },
    service: '',
    pathType: 'Exact',
    path: '/oauth2/auth',
    action: { kind: 'forward', upstream: '', policies },
    allowEncodedSlash: false,
    allowDoubleSlash: false,
    removeHeaders: [],
  }
}

function unauthenticated(facts: RequestFacts): AuthDecision {
  return {
    kind: 'refuse',
    status: 401,
    reason: 'no_credential',
    message: 'Unauthorized',
    wwwAuthenticate: [bearerChallenge(facts.host)],
    responseHeaders: [],
  }
}
