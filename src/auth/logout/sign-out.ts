import type { Policy } from '../../table/policy.ts'
import type { VirtualHost } from '../../table/routing-table.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { AuthDecision, Respond } from '../decision.ts'
import { displayName } from '../display-name.ts'
import { firstOfRealms, namedPolicies } from '../named-policies.ts'
import { NO_STORE, refuseLogin } from '../relying-party/login-decision.ts'
import type { LoginDependencies } from '../relying-party/login-context.ts'
import { originOf, sameOriginTarget } from '../relying-party/return-target.ts'
import { header, type RequestFacts } from '../request-facts.ts'
import { frontchannelLogout } from './frontchannel-logout.ts'
import { logOut } from './log-out.ts'

/**
 * `/oauth2/sign_out`: logs out of the host's login policies, or of those that `plugin` names. GET does so at once
 * where `Sec-Fetch-Site` says that this site or the person made it; a browser that does not say, and another site's
 * link, get a page with a button. `rd` may name a place on this site, or `logoutRedirectUri`; any other is passed over.
 */
export async function signOut(
  deps: LoginDependencies,
  snapshot: AuthSnapshot,
  host: VirtualHost,
  facts: RequestFacts,
): Promise<AuthDecision> {
  const query = new URLSearchParams(facts.query)
  const policies = namedPolicies(snapshot, host, query)
  if (policies.length === 0) return refuseLogin('No plugin of this name signs people in on this host')
  const frontchannel = await frontchannelLogout(deps, snapshot, policies, facts)
  if (frontchannel !== undefined) return frontchannel
  if (facts.method === 'GET' && !isOwnNavigation(facts)) return confirm(deps, snapshot, policies, facts)
  if (facts.method !== 'GET' && facts.method !== 'POST') return METHOD_NOT_ALLOWED
  const returnTo = returnTarget(query.get('rd'), policies, facts)
  return logOut(deps, { snapshot, policies, facts, ...(returnTo !== undefined && { returnTo }) })
}

/** A page that a browser loads ahead of time nobody has asked for yet. */
function isOwnNavigation(facts: RequestFacts): boolean {
  if (facts.headers['sec-purpose'] !== undefined || facts.headers['purpose'] !== undefined) return false
  return ['same-origin', 'none'].includes(header(facts, 'sec-fetch-site') ?? '')
}

function returnTarget(
  rd: string | null,
  policies: readonly Policy[],
  facts: RequestFacts,
): string | undefined {
  if (rd === null) return undefined
  if (policies.some(({ logout }) => logout.redirectUri === rd)) return rd
  const target = sameOriginTarget(rd, facts)
  return target === undefined ? undefined : `${originOf(facts)}${target}`
}

async function confirm(
  deps: LoginDependencies,
  snapshot: AuthSnapshot,
  policies: readonly Policy[],
  facts: RequestFacts,
): Promise<Respond> {
  const lookups = await Promise.all(
    firstOfRealms(policies).map(async (policy) => deps.sessions.open({ snapshot, policy, facts })),
  )
  const session = lookups.find((lookup) => lookup.kind === 'session')?.session
  const who = session && displayName([session.accessTokenClaims, session.idTokenClaims])
  const action = facts.query === '' ? facts.path : `${facts.path}?${facts.query}`
  const page = { name: 'confirm_sign_out', action, ...(who !== undefined && { who }) } as const
  const body = { kind: 'page', page } as const
  return { kind: 'respond', status: 200, reason: 'logout', body, responseHeaders: [NO_STORE] }
}

const METHOD_NOT_ALLOWED: Respond = {
  kind: 'respond',
  status: 405,
  reason: 'logout',
  body: { kind: 'none' },
  responseHeaders: [['allow', 'GET, POST']],
}
