import type { Policy } from '../../table/policy.ts'
import type { VirtualHost } from '../../table/routing-table.ts'
import type { AuthSnapshot } from '../authorize.ts'
import { bearerChallenge } from '../challenge.ts'
import { firstClaim, nameClaim } from '../claims.ts'
import type { AuthDecision, HeaderList } from '../decision.ts'
import { firstOfRealms, namedPolicies } from '../named-policies.ts'
import { sessionUnavailable } from '../refusal.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { Session } from '../session/session.ts'
import type { LoginDependencies } from './login-context.ts'
import { NO_STORE, withHeaders } from './login-decision.ts'

/**
 * `/oauth2/userinfo`: who is signed in here, as oauth2-proxy tells it: `user`, `email`, `groups`, `preferredUsername`.
 * It says who somebody is, not what they may do: required claims are not judged.
 */
export async function userInfoEndpoint(
  deps: LoginDependencies,
  snapshot: AuthSnapshot,
  host: VirtualHost,
  facts: RequestFacts,
): Promise<AuthDecision> {
  let stale: HeaderList = []
  for (const policy of firstOfRealms(namedPolicies(snapshot, host, new URLSearchParams(facts.query)))) {
    const lookup = await deps.openSession({ snapshot, policy, facts })
    if (lookup.kind === 'session') return answer(policy, lookup.session, [...stale, ...lookup.setCookies])
    if (lookup.kind === 'unavailable') return sessionUnavailable(lookup)
    if (lookup.kind === 'invalid') stale = [...stale, ...lookup.clearCookies]
  }
  return withHeaders(
    {
      kind: 'refuse',
      status: 401,
      reason: 'no_credential',
      message: 'Nobody is signed in',
      wwwAuthenticate: [bearerChallenge(facts.host)],
      responseHeaders: [NO_STORE],
    },
    stale,
  )
}

function answer(policy: Policy, session: Session, cookies: HeaderList): AuthDecision {
  const sources = [session.accessTokenClaims, session.idTokenClaims]
  const [user, email, preferredUsername] = ['sub', 'email', 'preferred_username'].map((name) =>
    nameClaim(firstClaim(sources, [name])),
  )
  const groups = groupNames(firstClaim(sources, policy.identity.groupsClaim))
  const value = { user, email, ...(groups.length > 0 && { groups }), preferredUsername }
  const body = { kind: 'json', value } as const
  return withHeaders(
    { kind: 'respond', status: 200, reason: 'userinfo', body, responseHeaders: [NO_STORE] },
    cookies,
  )
}

function groupNames(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  return items.filter((item): item is string => typeof item === 'string')
}
