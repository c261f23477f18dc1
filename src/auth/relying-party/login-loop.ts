import { nowSeconds } from '../../clock.ts'
import { isSentTo } from '../session/session-cookies.ts'
import type { LoginContext, LoginDependencies } from './login-context.ts'
import { loginCountCookie, readLoginCookie, writeLoginCookie } from './login-cookie.ts'

interface LoginCount {
  readonly logins: number
  readonly sinceSeconds: number
}

/** What the count says about one more login. */
export type LoopVerdict =
  | { readonly kind: 'go on'; readonly setCookies: readonly string[] }
  | { readonly kind: 'stop'; readonly why: string }

const WINDOW_SECONDS = 60
const MAXIMUM_LOGINS = 3
/** Where the callback does not see the session, tabs that log in together look like a loop. */
const MAXIMUM_LOGINS_UNSEEN = 12

/**
 * Counts the logins that one browser completes without coming back with the session that the one before gave it, or
 * because that session was not accepted: a cookie that is not stored or not sent, or a token that is never good, would
 * otherwise go round between login and application for ever.
 *
 * @param refusedSession Id of the session in spite of which the login began. Another one is that of another tab.
 */
export async function countLogin(
  deps: LoginDependencies,
  login: LoginContext,
  refusedSession: string | undefined,
): Promise<LoopVerdict> {
  const { policy } = login
  const lookup = policy.methods.includes('session') ? await deps.sessions.open(login) : undefined
  const found = lookup?.kind === 'session' ? lookup.session.id : undefined
  if (found !== undefined && found !== refusedSession) return { kind: 'go on', setCookies: [] }
  const now = nowSeconds(deps.clock)
  const cookie = loginCountCookie(login)
  const counts = readLoginCookie(deps, login, cookie) as readonly LoginCount[]
  const count = counts.find(({ sinceSeconds }) => now - sinceSeconds < WINDOW_SECONDS)
  const seen = isSessionSeen(login)
  if (count !== undefined && count.logins >= (seen ? MAXIMUM_LOGINS : MAXIMUM_LOGINS_UNSEEN)) {
    return stop(found !== undefined)
  }
  const value = { logins: (count?.logins ?? 0) + 1, sinceSeconds: count?.sinceSeconds ?? now }
  const written = writeLoginCookie(deps, login, cookie, { value, maxAgeSeconds: WINDOW_SECONDS })
  return { kind: 'go on', setCookies: written === undefined ? [] : [written] }
}

function stop(isKept: boolean): LoopVerdict {
  const why = isKept ? 'The session is never accepted' : 'The browser does not keep the session'
  return { kind: 'stop', why }
}

/**
 * Whether a session that the browser has comes along with a callback: its path may hide it, and so does SameSite where
 * another site's page leads there, or posts.
 */
function isSessionSeen({ policy, redirectUri, facts }: LoginContext): boolean {
  const { cookiePath, sameSite } = policy.session
  if (sameSite === 'Strict' || (sameSite !== 'None' && facts.method === 'POST')) return false
  return isSentTo(cookiePath, redirectUri.cookiePath)
}
