import type { TokenSet } from '../authorization-server/authorization-server-client.ts'
import type { AuthorizationCodePolicy } from '../../table/policy.ts'
import type { AuthDecision, GoOn, HeaderList } from '../decision.ts'
import { cookieHeaderOf, cookieHeaderAfter } from '../session/cookie-header.ts'
import type { LoginContext } from './login-context.ts'
import { NO_STORE, redirectBack, withHeaders } from './login-decision.ts'
import type { Callback } from './match-callback.ts'
import { CALLBACK_PATH } from './redirect-uri.ts'

/** Not `no-referrer`: forms of the page would be sent with `Origin: null`, and be refused. */
const ORIGIN_ONLY: HeaderList[number] = ['referrer-policy', 'strict-origin']

/** What becomes of a callback. */
export type LoginOutcome = AuthDecision | GoOn

/**
 * What a completed login ends in, as `loginAction` has it. `upstream` needs a route at the callback's path and on the
 * host where the login began; elsewhere it is a redirect.
 *
 * @param location Where the login began, judged already.
 */
export function finishLogin(
  { login, state }: Callback,
  location: string,
  tokens: TokenSet,
  setCookies: HeaderList,
): LoginOutcome {
  const { policy, facts } = login
  const { action, loginRedirectUri } = policy.authorizationCode
  if (action === 'response') return answerWithTokens(policy.authorizationCode, tokens, setCookies)
  if (action === 'upstream' && facts.path !== CALLBACK_PATH && location.startsWith('/')) {
    return goOn(login, state.target, setCookies)
  }
  const target = loginRedirectUri ?? location
  return sendBack(login, withTokens(policy.authorizationCode, target, tokens), setCookies)
}

/**
 * Sends the browser to where a login ends. SameSite=Strict cookies do not go along on a redirect that another site
 * began: a page of ours that loads the target by itself is this site's.
 */
export function sendBack({ policy }: LoginContext, location: string, headers: HeaderList): AuthDecision {
  const redirect = redirectBack(location, headers)
  if (policy.session.sameSite !== 'Strict') return redirect
  const { responseHeaders } = redirect
  const body = { kind: 'page', page: { name: 'continue', location } } as const
  return { kind: 'respond', status: 200, reason: 'callback', body, responseHeaders }
}

function answerWithTokens(
  policy: AuthorizationCodePolicy,
  tokens: TokenSet,
  setCookies: HeaderList,
): AuthDecision {
  const value = Object.fromEntries(tokenParameters(policy, tokens))
  const answer: AuthDecision = {
    kind: 'respond',
    status: 200,
    reason: 'callback',
    body: { kind: 'json', value },
    responseHeaders: [NO_STORE],
  }
  return withHeaders(answer, setCookies)
}

/** The callback's code and state go no further: the query is the one that the login began with. */
function goOn({ facts }: LoginContext, target: string, setCookies: HeaderList): GoOn {
  const [path = '/'] = facts.target.split('?', 1)
  const queryAt = target.indexOf('?')
  return {
    kind: 'go_on',
    target: queryAt === -1 ? path : path + target.slice(queryAt),
    cookieHeader: cookieHeaderAfter(cookieHeaderOf(facts.headers), setCookies),
    // The page's address still holds the code: what it loads must not tell it to upstreams and their logs.
    responseHeaders: [...setCookies, ORIGIN_ONLY],
  }
}

function withTokens(policy: AuthorizationCodePolicy, location: string, tokens: TokenSet): string {
  const parameters = new URLSearchParams(tokenParameters(policy, tokens)).toString()
  if (parameters === '') return location
  if (policy.loginTokensIn === 'fragment') return `${location}#${parameters}`
  return `${location}${location.includes('?') ? '&' : '?'}${parameters}`
}

/** The tokens that the policy names and the authorization server gave, under their names of RFC 6749 §5.1. */
function tokenParameters({ loginTokens }: AuthorizationCodePolicy, tokens: TokenSet): [string, string][] {
  const { accessToken, idToken, refreshToken } = tokens
  const values = { access_token: accessToken, id_token: idToken, refresh_token: refreshToken }
  return loginTokens.flatMap((name): [string, string][] => {
    const value = values[name]
    return value === undefined ? [] : [[name, value]]
  })
}
