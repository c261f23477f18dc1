import type { Policy } from '../../table/policy.ts'
import { audit } from '../audit.ts'
import type { AuthSnapshot } from '../authorize.ts'
import { isCrossOriginRisk } from '../cross-origin.ts'
import type { AuthDecision, HeaderList } from '../decision.ts'
import { firstOfRealms } from '../named-policies.ts'
import { isNavigation, isPageLoad } from '../navigation.ts'
import { tokenEndpointClient } from '../relying-party/client-with-secret.ts'
import { NO_STORE, refuseLogin, withHeaders } from '../relying-party/login-decision.ts'
import type { LoginDependencies } from '../relying-party/login-context.ts'
import { header, type RequestFacts } from '../request-facts.ts'
import type { DestroyResult } from '../session/session-store.ts'
import type { Session } from '../session/session.ts'
import { endSessionUrl } from './end-session-url.ts'

/** A request that logs out. */
export interface LogoutRequest {
  readonly snapshot: AuthSnapshot
  /** Not empty. The first that had a session says where the logout ends. */
  readonly policies: readonly Policy[]
  readonly facts: RequestFacts
  /** Where to go in place of `logoutRedirectUri`; the caller has judged it. */
  readonly returnTo?: string
}

/** The session that a request brought in a policy's realm, if any. */
interface Leaving {
  readonly policy: Policy
  readonly session: Session | undefined
}

const NO_REFERRER: HeaderList[number] = ['referrer-policy', 'no-referrer']

/**
 * Logs a browser out. The session here ends first, whatever happens afterwards; then its tokens are revoked where the
 * policy says so, as far as the authorization server answers within seconds; then the browser goes to the
 * authorization server to end its session there (OpenID Connect RP-Initiated Logout), or where that has no such
 * endpoint to `logoutRedirectUri`, or to a page that says it is done. Without a session the rest happens all the same.
 * Where the session store cannot be reached the answer is 503, and nothing says that it is done.
 *
 * A request that another site may have made does not end a session: see `isForged`.
 */
export async function logOut(deps: LoginDependencies, request: LogoutRequest): Promise<AuthDecision> {
  const leaving = await openSessions(deps, request)
  if (leaving.some((each) => isForged(each, request.facts))) {
    return refuseLogin('Another site may have sent this logout', { status: 403, reason: 'cross_origin' })
  }
  const { ok, clearCookies } = await endSessions(deps, request)
  for (const { policy, session } of leaving) {
    if (session === undefined) continue
    const happening = { event: 'logout', outcome: ok ? 'ok' : 'unavailable', plugin: policy.id } as const
    audit(deps.audit, request.facts, happening, session)
  }
  await Promise.all(leaving.map((each) => revokeTokens(deps, request.snapshot, each)))
  if (!ok) return notEnded(clearCookies)
  const [first = leaving[0]] = leaving.filter(({ session }) => session !== undefined)
  return withHeaders(await farewell(deps, request, first), clearCookies)
}

/** This browser forgets the session, but the store could not: whoever has a copy of the cookie goes on with it. */
function notEnded(clearCookies: HeaderList): AuthDecision {
  return {
    kind: 'unavailable',
    reason: 'session_store_unavailable',
    message: 'You are signed out in this browser, but the session could not be ended everywhere.',
    retryAfterSeconds: 5,
    responseHeaders: [NO_STORE, ...clearCookies],
  }
}

async function openSessions(
  deps: LoginDependencies,
  { snapshot, policies, facts }: LogoutRequest,
): Promise<readonly Leaving[]> {
  return Promise.all(
    firstOfRealms(policies).map(async (policy) => {
      const lookup = await deps.sessions.open({ snapshot, policy, facts })
      return { policy, session: lookup.kind === 'session' ? lookup.session : undefined }
    }),
  )
}

async function endSessions(
  deps: LoginDependencies,
  { snapshot, policies, facts }: LogoutRequest,
): Promise<DestroyResult> {
  const ended = await Promise.all(
    firstOfRealms(policies).map(async (policy) => deps.sessions.destroy({ snapshot, policy, facts })),
  )
  return {
    ok: ended.every(({ ok }) => ok),
    clearCookies: ended.flatMap(({ clearCookies }) => clearCookies),
  }
}

/**
 * Whether another site's page may have made this request. POST and DELETE need proof of their origin as any unsafe
 * method does. GET, where `logoutMethods` has it, is for links: a person who follows one on any site is logged out, as
 * in Kong, but no image, frame or script of another site can do it.
 *
 * Where no session came along there is none to end; but the answer clears cookies, which SameSite or their path may
 * only have kept back, so that a browser which says whose page it was must not say another's.
 */
function isForged({ policy, session }: Leaving, facts: RequestFacts): boolean {
  if (facts.method !== 'GET') {
    const saysWhose = ['origin', 'sec-fetch-site'].some((name) => facts.headers[name] !== undefined)
    return (session !== undefined || saysWhose) && isCrossOriginRisk(facts, policy.session.allowedOrigins)
  }
  if (session === undefined) return false
  const site = header(facts, 'sec-fetch-site') ?? 'none'
  return site !== 'same-origin' && site !== 'none' && !isNavigation(facts)
}

/** Failures end nothing: the session is gone, and the authorization server's own logout is still to come. */
async function revokeTokens(
  deps: LoginDependencies,
  snapshot: AuthSnapshot,
  { policy, session }: Leaving,
): Promise<void> {
  const { revokeAccessToken, revokeRefreshToken } = policy.logout
  const client = tokenEndpointClient(policy, snapshot)
  if (session === undefined || client === undefined) return
  const revoke = async (token: string | undefined, hint: 'access_token' | 'refresh_token'): Promise<void> => {
    if (token !== undefined) await deps.authorizationServers.revoke(policy.server, { client, token, hint })
  }
  await Promise.all([
    revoke(revokeRefreshToken ? session.refreshToken : undefined, 'refresh_token'),
    revoke(revokeAccessToken ? session.accessToken : undefined, 'access_token'),
  ])
}

async function farewell(
  deps: LoginDependencies,
  { facts, returnTo }: LogoutRequest,
  leaving: Leaving | undefined,
): Promise<AuthDecision> {
  if (leaving === undefined) return signedOut(facts, undefined)
  const { policy, session } = leaving
  const postLogoutRedirectUri = returnTo ?? policy.logout.redirectUri
  const metadata = await deps.authorizationServers.metadata(policy.server)
  const endpoint = metadata.ok ? metadata.value.endSessionEndpoint : policy.server.endSessionEndpoint
  const state = deps.randomBytes(16).toString('base64url')
  const location =
    endpoint === undefined
      ? postLogoutRedirectUri
      : endSessionUrl(policy, { endpoint, idToken: session?.idToken, postLogoutRedirectUri, state })
  return location === undefined ? signedOut(facts, policy) : sendTo(facts, location)
}

/** A script that logs out is told where its page should go: it could not follow a redirect to another origin. */
function sendTo(facts: RequestFacts, location: string): AuthDecision {
  const isScript = facts.headers['sec-fetch-mode'] !== undefined && !isPageLoad(facts)
  if (isScript || header(facts, 'x-requested-with') === 'XMLHttpRequest') return answer({ location })
  return {
    kind: 'redirect',
    status: facts.method === 'GET' ? 302 : 303,
    location,
    reason: 'logout',
    responseHeaders: [NO_STORE, NO_REFERRER],
  }
}

function signedOut(facts: RequestFacts, policy: Policy | undefined): AuthDecision {
  if (!isPageLoad(facts)) return answer({ location: null })
  const maySignIn = policy?.methods.includes('authorization_code') === true
  const signIn = `/oauth2/start?plugin=${encodeURIComponent(policy?.id ?? '')}`
  const page = { name: 'signed_out', ...(maySignIn && { signIn }) } as const
  const body = { kind: 'page', page } as const
  return { kind: 'respond', status: 200, reason: 'logout', body, responseHeaders: [NO_STORE] }
}

function answer(value: object): AuthDecision {
  const body = { kind: 'json', value } as const
  return { kind: 'respond', status: 200, reason: 'logout', body, responseHeaders: [NO_STORE] }
}
