import { normalPath } from '../../table/normal-path.ts'
import type { Policy } from '../../table/policy.ts'
import type { VirtualHost } from '../../table/routing-table.ts'
import type { AuthSnapshot } from '../authorize.ts'
import { bearerChallenge } from '../challenge.ts'
import type { AuthDecision, Refuse } from '../decision.ts'
import { namedPolicies } from '../named-policies.ts'
import { isNavigation } from '../navigation.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { LoginDependencies } from './login-context.ts'
import { NO_STORE, refuseLogin } from './login-decision.ts'
import { redirectUriFor } from './redirect-uri.ts'
import { originOf, sameOriginTarget } from './return-target.ts'
import { startLogin } from './start-login.ts'

/**
 * `/oauth2/start`: begins a login, signed in or not, and returns to `rd`, a path or URL of this origin; without one to
 * `/`. Where several plugins sign people in on the host, `plugin` names one.
 */
export function startEndpoint(
  deps: LoginDependencies,
  snapshot: AuthSnapshot,
  host: VirtualHost,
  facts: RequestFacts,
): AuthDecision | Promise<AuthDecision> {
  if (!isNavigation(facts)) return notNavigating(facts)
  const query = new URLSearchParams(facts.query)
  const policies = namedPolicies(snapshot, host, query)
  const [policy] = policies
  if (policy === undefined || policies.length > 1) return ambiguous(policies)
  const given = query.getAll('rd')
  const target = sameOriginTarget(given[0] ?? '/', facts)
  if (target === undefined || given.length > 1) {
    return refuseLogin('The address to return to is not on this site', { reason: 'invalid_request' })
  }
  if (isSignOut(target)) {
    return refuseLogin('A sign-in does not lead to the sign-out', { reason: 'invalid_request' })
  }
  const origin = originOf(facts)
  const login = { snapshot, policy, facts, redirectUri: redirectUriFor(policy, facts), origin }
  return startLogin(deps, login, { target, restarted: false, query: facts.query })
}

/** Another site's link would sign people out: where cookies are SameSite=Strict a page of ours leads to the target. */
function isSignOut(target: string): boolean {
  // As browsers read it: they take dot segments out.
  const url = URL.parse(target, 'https://origin.invalid')
  return url === null || normalPath(url.pathname) === '/oauth2/sign_out'
}

function ambiguous(policies: readonly Policy[]): Refuse {
  const message =
    policies.length === 0
      ? 'No plugin of this name signs people in on this host'
      : 'Several plugins sign people in on this host: name one with plugin=namespace/name'
  return refuseLogin(message, { reason: 'invalid_request' })
}

/** A script could not follow the login anyway. */
function notNavigating(facts: RequestFacts): Refuse {
  return {
    kind: 'refuse',
    status: 401,
    reason: 'no_credential',
    message: 'A sign-in begins with a navigation',
    wwwAuthenticate: [bearerChallenge(facts.host)],
    responseHeaders: [NO_STORE],
  }
}
