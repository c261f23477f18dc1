import { LRUCache } from 'lru-cache'
import { nowSeconds } from '../../clock.ts'
import type { ServerMetadata, TokenSet } from '../authorization-server/authorization-server-client.ts'
import { audit } from '../audit.ts'
import type { AuthDecision } from '../decision.ts'
import { hasEnded } from '../session/session-timeouts.ts'
import { errorMessage, isServerTrouble } from './callback-parameters.ts'
import { tokenEndpointClient } from './client-with-secret.ts'
import { finishLogin, sendBack, type LoginOutcome } from './finish-login.ts'
import type { LoginDependencies } from './login-context.ts'
import { clearLoginCookie, flowCookie, readLoginCookie } from './login-cookie.ts'
import {
  refuseLogin,
  serverUnavailable,
  sessionStoreUnavailable,
  setCookieHeaders,
  loginNotSetUp,
  unavailableLogin,
  withHeaders,
} from './login-decision.ts'
import { countLogin } from './login-loop.ts'
import type { LoginFlow } from './login-state.ts'
import type { Callback } from './match-callback.ts'
import { newSession } from './new-session.ts'
import { returnLocation } from './return-target.ts'
import { startLogin } from './start-login.ts'

const MAXIMUM_USED_FLOWS = 10_000
const NOT_KEPT = 'The sign-in took too long, or another one overtook it'
const LOOP = {
  reason: 'login_loop',
  detail:
    'check sessionCookieDomain, sessionCookiePath, sessionCookieSameSite, reverify and maxAge of the OIDCPlugin',
} as const
const SERVER_DOWN = 'The authorization server cannot complete the sign-in now; reload this page shortly'

/** Completes logins at their callback. Remembers the flows that it used: a copy of a callback is worth nothing. */
export class LoginCompletion {
  readonly #deps: LoginDependencies
  readonly #used = new LRUCache<string, true>({ max: MAXIMUM_USED_FLOWS })

  constructor(deps: LoginDependencies) {
    this.#deps = deps
  }

  /**
   * Proves the browser by the flow cookie, checks `iss` (RFC 9207), redeems the code and begins the session. A
   * failure clears the flow cookie, but while the authorization server is down, so that a reload may succeed.
   */
  async complete(callback: Callback): Promise<LoginOutcome> {
    const outcome = await this.#complete(callback)
    // A browser that posted must not post again to where it is sent.
    return outcome.kind === 'redirect' && callback.login.facts.method === 'POST'
      ? { ...outcome, status: 303 }
      : outcome
  }

  async #complete(callback: Callback): Promise<LoginOutcome> {
    const { login, state } = callback
    const flow = this.#flowOf(callback)
    if (flow === undefined) return this.#recover(callback)
    const metadata = await this.#deps.authorizationServers.metadata(login.policy.server)
    if (!metadata.ok) return serverUnavailable(SERVER_DOWN, metadata)
    const clear = clearLoginCookie(flowCookie(login, state.slot))
    const headers = setCookieHeaders([clear])
    const outcome = refusalOf(callback, metadata.value) ?? (await this.#redeem(callback, flow))
    return outcome.kind === 'unavailable' ? outcome : withHeaders(outcome, headers)
  }

  #flowOf({ login, state }: Callback): LoginFlow | undefined {
    if (state.expiresAtSeconds <= nowSeconds(this.#deps.clock)) return undefined
    const flows = readLoginCookie(this.#deps, login, flowCookie(login, state.slot)) as readonly LoginFlow[]
    return flows.find(({ id, redirectUri }) => id === state.id && redirectUri === login.redirectUri.uri)
  }

  async #redeem(callback: Callback, flow: LoginFlow): Promise<LoginOutcome> {
    const { login, parameters } = callback
    const { policy, snapshot, redirectUri } = login
    if (this.#used.has(flow.id)) return this.#recover(callback)
    const client = tokenEndpointClient(policy, snapshot)
    if (client === undefined) return loginNotSetUp('the client or its secret is missing')
    // Before anything is waited for: of two copies that come at once, one counts.
    this.#used.set(flow.id, true)
    const loop = await countLogin(this.#deps, login, flow.refusedSession)
    if (loop.kind === 'stop') return refuseLogin(loop.why, LOOP)
    const answer = await this.#deps.authorizationServers.authorizationCodeGrant(policy.server, {
      client,
      callbackUrl: `${redirectUri.uri.split('?', 1)[0]}?${callback.response}`,
      redirectUri: flow.redirectUri,
      state: parameters.state,
      ...(flow.codeVerifier !== undefined && { codeVerifier: flow.codeVerifier }),
      ...(flow.nonce !== undefined && { nonce: flow.nonce }),
      idTokenExpected: policy.scopes.includes('openid'),
      ...(policy.verification.maximumAgeSeconds !== undefined && {
        maximumAgeSeconds: policy.verification.maximumAgeSeconds,
      }),
      tokenArguments: policy.tokenArguments,
      leewaySeconds: policy.verification.leewaySeconds,
    })
    if (answer.ok) {
      const begun = await this.#begin(callback, answer.value)
      // A session that could not be kept is no login that the browser lost.
      return begun.kind === 'unavailable' ? begun : withHeaders(begun, setCookieHeaders(loop.setCookies))
    }
    if (answer.kind === 'unavailable') {
      this.#used.delete(flow.id)
      return serverUnavailable(SERVER_DOWN, answer)
    }
    return answer.error === 'invalid_grant' ? this.#recover(callback) : refusedGrant(answer.error)
  }

  async #begin(callback: Callback, tokens: TokenSet): Promise<LoginOutcome> {
    const { login, state } = callback
    const { policy, facts } = login
    const location = returnLocation(state, policy, facts)
    if (location === undefined) return refuseLogin('The page where the sign-in began is not on this site')
    const now = nowSeconds(this.#deps.clock)
    const session = newSession(this.#deps.randomBytes(16).toString('base64url'), tokens, now, policy.scopes)
    if (hasEnded(session, policy.session, now)) {
      const detail = 'the access token had expired when it came: check the clocks and its lifetime'
      return refuseLogin('The sign-in had already expired', { reason: 'expired_token', detail })
    }
    const saved = await this.#deps.sessions.create(login, session)
    if (saved.ok) {
      audit(this.#deps.audit, facts, { event: 'login', outcome: 'ok', plugin: policy.id }, session)
      return finishLogin(callback, location, tokens, saved.setCookies)
    }
    if (saved.reason === 'no_key') return loginNotSetUp('there is no session key')
    if (saved.reason === 'too_large') {
      return refuseLogin('The tokens are too large for cookies', { reason: 'too_large' })
    }
    return sessionStoreUnavailable()
  }

  /**
   * A login that cannot be completed. Where another tab signed in meanwhile the browser goes on to where this one
   * began; else the login starts again, once.
   */
  async #recover({ login, state }: Callback): Promise<AuthDecision> {
    const { policy, facts } = login
    const location = returnLocation(state, policy, facts)
    if (location === undefined) return refuseLogin('The page where the sign-in began is not on this site')
    const lookup = await this.#deps.sessions.open(login)
    if (lookup.kind === 'session' && policy.methods.includes('session'))
      return sendBack(login, location, lookup.setCookies)
    const headers = lookup.kind === 'invalid' ? lookup.clearCookies : []
    if (state.restarted) return refuseLogin(NOT_KEPT, { headers })
    const started = await startLogin(this.#deps, login, { target: state.target, restarted: true })
    return withHeaders(started, headers)
  }
}

/** RFC 9207 §2.4, then RFC 6749 §4.1.2.1: an error of another authorization server means nothing either. */
function refusalOf({ parameters }: Callback, metadata: ServerMetadata): AuthDecision | undefined {
  const { iss, error } = parameters
  const missing = iss === undefined && metadata.issParameterSupported
  if (missing || (iss !== undefined && iss !== metadata.issuer)) {
    return refuseLogin('The answer is not from the authorization server that was asked', {
      reason: 'wrong_issuer',
    })
  }
  if (error === undefined) return undefined
  if (isServerTrouble(error))
    return unavailableLogin(errorMessage(error), { retryAfterSeconds: 5, detail: error })
  const status = error === 'access_denied' ? 403 : 400
  return refuseLogin(errorMessage(error), { status, reason: 'server_refused' })
}

function refusedGrant(error: string): AuthDecision {
  if (error === 'invalid_client' || error === 'unauthorized_client') {
    const message = 'The authorization server does not take this site as a client'
    const detail = `${error}: check clientId, clientSecretRef and clientAuth`
    return unavailableLogin(message, { retryAfterSeconds: 60, reason: 'invalid_client', detail })
  }
  const message = "The authorization server's answer to the sign-in cannot be accepted"
  return refuseLogin(message, { reason: 'server_refused', detail: error })
}
