import type { SessionPolicy } from '../../table/policy.ts'
import type { HeaderList } from '../decision.ts'
import type { RequestFacts } from '../request-facts.ts'
import { cookieHeaderOf } from './cookie-header.ts'
import { sessionCookieName } from './cookie-names.ts'
import { chunkNumbers, chunksPresent, writeChunks, type SessionCookie } from './session-chunks.ts'
import { clearCookie, NOT_CACHED } from './set-cookie.ts'

/** What both stores do with cookies. Names and attributes are worked out once per policy. */
export class SessionCookies {
  readonly #secure = new WeakMap<SessionPolicy, SessionCookie>()
  readonly #plain = new WeakMap<SessionPolicy, SessionCookie>()

  /** The realm's cookie as this request's scheme names it. */
  of(session: SessionPolicy, facts: RequestFacts): SessionCookie {
    const secure = facts.scheme === 'https' || session.alwaysSecure
    const known = secure ? this.#secure : this.#plain
    let cookie = known.get(session)
    if (cookie === undefined) known.set(session, (cookie = cookieOf(session, secure)))
    return cookie
  }

  /** The headers that put a sealed value into cookies and clear chunks of a longer one; `undefined`: too large. */
  write(session: SessionPolicy, facts: RequestFacts, sealed: string): HeaderList | undefined {
    const cookie = this.of(session, facts)
    const chunks = writeChunks(cookie, sealed, session.cookieMaximumBytes)
    if (chunks === undefined) return undefined
    const set = chunks.map((value) => ['set-cookie', value] as const)
    return [...set, ...clearing(cookie, staleChunks(session, facts, cookie, chunks.length)), NOT_CACHED]
  }

  /** The headers that clear every chunk of the session that the browser may have. */
  clear(session: SessionPolicy, facts: RequestFacts): HeaderList {
    const cookie = this.of(session, facts)
    return [...clearing(cookie, staleChunks(session, facts, cookie, 0)), NOT_CACHED]
  }
}

/** Whether a browser sends a cookie of this path with a request to `path` (RFC 6265 §5.1.4). */
export function isSentTo(cookiePath: string, path: string): boolean {
  if (!path.startsWith(cookiePath)) return false
  return path.length === cookiePath.length || cookiePath.endsWith('/') || path[cookiePath.length] === '/'
}

function cookieOf(session: SessionPolicy, secure: boolean): SessionCookie {
  const { cookiePath: path, cookieDomain: domain, sameSite } = session
  const attributes = { path, ...(domain !== undefined && { domain }), sameSite, secure }
  return { name: sessionCookieName(session, secure), attributes }
}

/** Where the cookie's path hides the old chunks from this request, all that could be there count. */
function staleChunks(
  session: SessionPolicy,
  facts: RequestFacts,
  cookie: SessionCookie,
  from: number,
): readonly number[] {
  return isSentTo(session.cookiePath, facts.path)
    ? chunksPresent(cookieHeaderOf(facts.headers), cookie.name, from)
    : chunkNumbers(from)
}

function clearing(cookie: SessionCookie, indices: readonly number[]): HeaderList {
  return indices.map((index) => ['set-cookie', clearCookie(`${cookie.name}${index}`, cookie.attributes)])
}
