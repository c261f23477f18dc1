import type { Policy } from '../../table/policy.ts'
import { audit } from '../audit.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { AuthDecision } from '../decision.ts'
import { unavailableLogin, NO_STORE } from '../relying-party/login-decision.ts'
import type { LoginDependencies } from '../relying-party/login-context.ts'
import { isIssuer } from '../resource-server/registered-claims.ts'
import type { RequestFacts } from '../request-facts.ts'

/**
 * OpenID Connect Front-Channel Logout §2: the authorization server loads this in a frame when a person logs out there.
 * No cookie comes along in a frame of another site, so that the session is found by `sid`, which takes a store that
 * all replicas share. Who knows a `sid`, a random value of the authorization server, can end that session and no more.
 *
 * @returns `undefined`: no such request, or no policy takes it.
 */
export async function frontchannelLogout(
  deps: LoginDependencies,
  snapshot: AuthSnapshot,
  policies: readonly Policy[],
  facts: RequestFacts,
): Promise<AuthDecision | undefined> {
  if (facts.method !== 'GET' || facts.query === '') return undefined
  const query = new URLSearchParams(facts.query)
  const [[issuer, ...issuers], [sid, ...sids]] = [query.getAll('iss'), query.getAll('sid')]
  if (!issuer || !sid || issuers.length + sids.length > 0) return undefined
  const asked = policies.filter(({ logout, server }) => logout.frontchannel && isIssuer(server, issuer))
  if (asked.length === 0) return undefined
  const results = await Promise.all(
    asked.map((policy) => deps.sessions.destroyBy(snapshot, policy, { issuer: policy.server.issuer, sid })),
  )
  const ended = results.every(({ ok }) => ok)
  audit(deps.audit, facts, {
    event: 'logout',
    channel: 'front',
    outcome: ended ? 'ok' : 'unavailable',
    plugin: asked.map(({ id }) => id).join(' '),
    serverSession: sid,
  })
  if (!ended) {
    return unavailableLogin('Sessions cannot be ended at the moment', {
      retryAfterSeconds: 5,
      reason: 'session_store_unavailable',
    })
  }
  const body = { kind: 'none' } as const
  return { kind: 'respond', status: 200, reason: 'logout', body, responseHeaders: [NO_STORE] }
}
