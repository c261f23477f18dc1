import { createHash } from 'node:crypto'
import { nowSeconds } from '../../clock.ts'
import type { ServerMetadata } from '../authorization-server/authorization-server-client.ts'
import type { Policy } from '../../table/policy.ts'
import type { AuthDecision } from '../decision.ts'
import { FLOW_SLOTS } from '../session/cookie-names.ts'
import type { LoginContext, LoginDependencies } from './login-context.ts'
import { flowCookie, writeLoginCookie } from './login-cookie.ts'
import {
  NO_STORE,
  refuseLogin,
  serverUnavailable,
  setCookieHeaders,
  loginNotSetUp,
} from './login-decision.ts'
import { sealState, type LoginFlow } from './login-state.ts'
import { sharesCookieDomain } from './redirect-uri.ts'
import { MAXIMUM_RETURN_TARGET, returnTarget } from './return-target.ts'

const MAXIMUM_ARGUMENT = 1024

/** Where a login returns to, and whether it replaces one that failed. */
export interface LoginStart {
  readonly target: string
  readonly restarted: boolean
  /** Query that arguments of the authorization request may be copied from. Default: the target's. */
  readonly query?: string
  /** A session that the request has was not accepted. Default: nobody looked at one. */
  readonly sessionRefused?: boolean
}

/**
 * Sends the browser to the authorization endpoint (OpenID Connect Core §3.1.2.1) with PKCE S256 (RFC 7636) and a
 * nonce, unless the policy skips them. A target that is not safe to return to becomes `/`. A random one of the five
 * flow cookies is written, over whatever login had it: that one finds its way by its state.
 */
export async function startLogin(
  deps: LoginDependencies,
  login: LoginContext,
  start: LoginStart,
): Promise<AuthDecision> {
  const { policy, facts } = login
  const target = returnTarget(start.target) ?? '/'
  if (target.length > MAXIMUM_RETURN_TARGET) {
    return refuseLogin('The address is too long to return to after a sign-in', { reason: 'invalid_request' })
  }
  if (policy.session.cookieDomain !== undefined && !sharesCookieDomain(policy, facts.host, facts.host)) {
    return loginNotSetUp('sessionCookieDomain does not cover this host')
  }
  const { responseMode } = policy.authorizationCode
  if (responseMode === 'form_post' && !login.redirectUri.secure && !isLoopback(login.redirectUri.host)) {
    return loginNotSetUp('responseMode form_post needs https: browsers drop its cookies over http')
  }
  const metadata = await deps.authorizationServers.metadata(policy.server)
  if (!metadata.ok) {
    return serverUnavailable('The authorization server cannot be reached now; try again shortly', metadata)
  }
  const refusedSession = start.sessionRefused === true ? await openSessionId(deps, login) : undefined
  return redirectToServer(deps, login, metadata.value, {
    ...start,
    target,
    ...(refusedSession !== undefined && { refusedSession }),
  })
}

function redirectToServer(
  deps: LoginDependencies,
  login: LoginContext,
  metadata: ServerMetadata,
  start: LoginStart & { readonly refusedSession?: string },
): AuthDecision {
  const endpoint = URL.parse(metadata.authorizationEndpoint ?? '')
  const { client } = login.policy
  if (endpoint === null || client === undefined) {
    return loginNotSetUp('there is no authorization endpoint, or no client')
  }
  const flow = newFlow(deps, login, start.refusedSession)
  const slot = (deps.randomBytes(1)[0] ?? 0) % FLOW_SLOTS
  const maxAgeSeconds = login.policy.authorizationCode.flowTimeoutSeconds
  const state = sealState(
    {
      id: flow.id,
      policy: login.policy.id,
      realm: login.policy.session.realm,
      slot,
      origin: login.origin,
      target: start.target,
      restarted: start.restarted,
      expiresAtSeconds: nowSeconds(deps.clock) + maxAgeSeconds,
    },
    login.snapshot,
    deps,
  )
  const cookie = writeLoginCookie(deps, login, flowCookie(login, slot), { value: flow, maxAgeSeconds })
  if (state === undefined || cookie === undefined) {
    return loginNotSetUp('there is no session key')
  }
  writeAuthorizationRequest(endpoint.searchParams, login, { clientId: client.id, state, flow })
  const query = start.query ?? start.target.split('?', 2)[1] ?? ''
  for (const [name, value] of extraArguments(login.policy, query)) endpoint.searchParams.append(name, value)
  return {
    kind: 'redirect',
    status: 302,
    location: endpoint.href,
    reason: 'login',
    responseHeaders: [...setCookieHeaders([cookie]), NO_STORE],
  }
}

async function openSessionId(deps: LoginDependencies, login: LoginContext): Promise<string | undefined> {
  if (!login.policy.methods.includes('session')) return undefined
  const lookup = await deps.sessions.open(login)
  return lookup.kind === 'session' ? lookup.session.id : undefined
}

function newFlow(deps: LoginDependencies, login: LoginContext, refusedSession?: string): LoginFlow {
  const { insecureSkipNonceCheck, insecureSkipProofKeyForCodeExchange } = login.policy.authorizationCode
  const random = () => deps.randomBytes(32).toString('base64url')
  return {
    id: deps.randomBytes(16).toString('base64url'),
    redirectUri: login.redirectUri.uri,
    ...(!insecureSkipNonceCheck && { nonce: random() }),
    ...(!insecureSkipProofKeyForCodeExchange && { codeVerifier: random() }),
    ...(refusedSession !== undefined && { refusedSession }),
  }
}

function writeAuthorizationRequest(
  parameters: URLSearchParams,
  { policy }: LoginContext,
  request: { readonly clientId: string; readonly state: string; readonly flow: LoginFlow },
): void {
  const { nonce, codeVerifier, redirectUri } = request.flow
  parameters.set('response_type', 'code')
  parameters.set('client_id', request.clientId)
  parameters.set('redirect_uri', redirectUri)
  if (policy.scopes.length > 0) parameters.set('scope', policy.scopes.join(' '))
  for (const audience of policy.audience) parameters.append('audience', audience)
  const { maximumAgeSeconds } = policy.verification
  if (maximumAgeSeconds !== undefined) parameters.set('max_age', String(maximumAgeSeconds))
  parameters.set('state', request.state)
  if (policy.authorizationCode.responseMode !== 'query') {
    parameters.set('response_mode', policy.authorizationCode.responseMode)
  }
  if (nonce !== undefined) parameters.set('nonce', nonce)
  if (codeVerifier === undefined) return
  parameters.set('code_challenge', createHash('sha256').update(codeVerifier).digest('base64url'))
  parameters.set('code_challenge_method', 'S256')
}

/** What the policy adds, and in its place what the browser may choose, as far as it did. */
function extraArguments(
  { authorizationCode }: Policy,
  query: string,
): readonly (readonly [name: string, value: string])[] {
  const { requestArguments, clientArguments } = authorizationCode
  if (clientArguments.length === 0) return requestArguments
  const asked = new URLSearchParams(query)
  const chosen = clientArguments.flatMap((name) =>
    asked
      .getAll(name)
      .filter((value) => value.length <= MAXIMUM_ARGUMENT)
      .map((value) => [name, value] as const),
  )
  const names = new Set<string>(chosen.map(([name]) => name))
  return [...requestArguments.filter(([name]) => !names.has(name)), ...chosen]
}

/** Browsers keep Secure cookies of these hosts over http too. */
function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(host)
}
