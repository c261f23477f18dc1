import { LRUCache } from 'lru-cache'
import { nowSeconds, type Clock } from '../../clock.ts'
import type { Policy, SessionPolicy } from '../../table/policy.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { HeaderList } from '../decision.ts'
import type { RequestFacts } from '../request-facts.ts'
import { cookieHeaderOf } from './cookie-header.ts'
import { sessionCookieName } from './cookie-names.ts'
import { open, saltOf, seal, type SealContext } from './seal.ts'
import { chunkNumbers, chunksPresent, readChunks, writeChunks, type SessionCookie } from './session-chunks.ts'
import type { KeyRing, SessionKeys } from './session-keys.ts'
import { decodeSession, encodeSession } from './session-payload.ts'
import { afterUse, hasEnded, touchIntervalSeconds } from './session-timeouts.ts'
import type { Session, SessionLookup } from './session.ts'
import { clearCookie, NOT_CACHED } from './set-cookie.ts'

/** The outcome of putting a session into cookies. */
export type SaveResult =
  | { readonly ok: true; readonly setCookies: HeaderList }
  | { readonly ok: false; readonly reason: 'too_large' | 'no_key' }

/** An opened session, with all that the same bytes must agree in to be it. */
interface OpenedSession {
  readonly sealed: string
  readonly realm: string
  readonly cookieName: string
  readonly keyId: string
  readonly lookup: SessionLookup & { readonly kind: 'session' }
  /** The last touch or renewal, handed to all requests that still carry these bytes. */
  touched?: { readonly atSeconds: number; readonly lookup: SessionLookup }
}

const MAXIMUM_SESSIONS = 10_000
const MAXIMUM_CACHED_CHARACTERS = 32 * 1024 * 1024
const NO_SESSION: SessionLookup = { kind: 'none' }
const NO_HEADERS: HeaderList = []

/**
 * Sessions inside sealed cookies. A session whose bytes were opened before costs no cryptography; its timeouts are
 * judged anew on each request all the same.
 */
export class CookieSessionStore {
  readonly #clock: Clock
  readonly #randomBytes: (size: number) => Buffer
  readonly #keys: SessionKeys
  readonly #cookies = new WeakMap<SessionPolicy, Map<boolean, SessionCookie>>()
  readonly #opened = new LRUCache<string, OpenedSession>({
    max: MAXIMUM_SESSIONS,
    maxSize: MAXIMUM_CACHED_CHARACTERS,
    sizeCalculation: ({ sealed }) => sealed.length * 4 + 1024,
  })

  constructor(clock: Clock, randomBytes: (size: number) => Buffer, keys: SessionKeys) {
    this.#clock = clock
    this.#randomBytes = randomBytes
    this.#keys = keys
  }

  /**
   * The request's session. Where several cookies of the name open, the oldest session that has not ended counts: a
   * sibling host can plant a session of its own beside the user's (cookie tossing), and neither garbage nor a
   * session begun later may push out the one that the user already has. `__Host-` names cannot be planted at all.
   */
  open(snapshot: AuthSnapshot, policy: Policy, facts: RequestFacts): SessionLookup {
    const cookieHeader = cookieHeaderOf(facts.headers)
    const cookie = this.#cookieOf(policy.session, facts)
    if (!cookieHeader.includes(cookie.name)) return NO_SESSION
    const ring = this.#keys.ringOf(snapshot)
    const now = nowSeconds(this.#clock)
    let oldest: OpenedSession | undefined
    for (const sealed of readChunks(cookieHeader, cookie.name)) {
      const found = this.#openSealed(sealed, cookie, policy, ring)
      if (found === undefined || hasEnded(found.lookup.session, policy.session, now)) continue
      if (oldest === undefined || isOlder(found, oldest)) oldest = found
    }
    if (oldest !== undefined) return this.#used(snapshot, policy, facts, oldest)
    const present = chunksPresent(cookieHeader, cookie.name, 0)
    return present.length === 0 ? NO_SESSION : { kind: 'invalid', clearCookies: clear(cookie, present) }
  }

  /** Seals a session into cookies and clears chunks of an earlier, longer one. */
  save(snapshot: AuthSnapshot, policy: Policy, facts: RequestFacts, session: Session): SaveResult {
    const ring = this.#keys.ringOf(snapshot)
    const cookie = this.#cookieOf(policy.session, facts)
    if (ring[0] === undefined) return { ok: false, reason: 'no_key' }
    const context = sealContext(policy, cookie)
    const sealed = seal(encodeSession(session), ring[0], context, this.#randomBytes)
    const chunks = sealed === undefined ? undefined : writeChunks(cookie, sealed)
    if (sealed === undefined || chunks === undefined) return { ok: false, reason: 'too_large' }
    this.#openSealed(sealed, cookie, policy, ring)
    // Where the cookie's path hides the old chunks from this request, all that could be there are cleared.
    const stale = isSentTo(policy.session.cookiePath, facts.path)
      ? chunksPresent(cookieHeaderOf(facts.headers), cookie.name, chunks.length)
      : chunkNumbers(chunks.length)
    const cleared = stale.map((index) => clearCookie(`${cookie.name}${index}`, cookie.attributes))
    const setCookies = [...chunks, ...cleared].map((value) => ['set-cookie', value] as const)
    return { ok: true, setCookies: [...setCookies, NOT_CACHED] }
  }

  /** The lookup of a valid session, with its cookies written anew when a timeout wants it. */
  #used(snapshot: AuthSnapshot, policy: Policy, facts: RequestFacts, opened: OpenedSession): SessionLookup {
    const now = nowSeconds(this.#clock)
    const session = afterUse(opened.lookup.session, policy.session, now)
    if (session === undefined) return opened.lookup
    const { touched } = opened
    if (touched !== undefined && now - touched.atSeconds < touchIntervalSeconds(policy.session))
      return touched.lookup
    const saved = this.save(snapshot, policy, facts, session)
    if (!saved.ok) return opened.lookup
    const lookup: SessionLookup = { kind: 'session', session, setCookies: saved.setCookies }
    opened.touched = { atSeconds: now, lookup }
    return lookup
  }

  /**
   * Cached under the salt and compared whole: the salt is short to hash, and a changed copy of a value neither
   * matches the entry nor replaces it.
   */
  #openSealed(
    sealed: string,
    cookie: SessionCookie,
    policy: Policy,
    ring: KeyRing,
  ): OpenedSession | undefined {
    const { realm } = policy.session
    const known = this.#opened.get(saltOf(sealed))
    if (known?.sealed === sealed && known.realm === realm && known.cookieName === cookie.name) {
      return ring.some((key) => key.id === known.keyId) ? known : undefined
    }
    const opened = open(sealed, ring, sealContext(policy, cookie))
    const session = opened && decodeSession(opened.plain)
    if (opened === undefined || session === undefined) return undefined
    const lookup = { kind: 'session', session, setCookies: NO_HEADERS } as const
    const entry = { sealed, realm, cookieName: cookie.name, keyId: opened.keyId, lookup }
    this.#opened.set(saltOf(sealed), entry)
    return entry
  }

  #cookieOf(session: SessionPolicy, facts: RequestFacts): SessionCookie {
    const secure = facts.scheme === 'https' || session.alwaysSecure
    let bySecurity = this.#cookies.get(session)
    if (bySecurity === undefined) this.#cookies.set(session, (bySecurity = new Map()))
    let cookie = bySecurity.get(secure)
    if (cookie === undefined) {
      const { cookiePath: path, cookieDomain: domain, sameSite } = session
      const attributes = { path, ...(domain !== undefined && { domain }), sameSite, secure }
      bySecurity.set(secure, (cookie = { name: sessionCookieName(session, secure), attributes }))
    }
    return cookie
  }
}

/** Whether a browser sends a cookie of this path with a request to `path` (RFC 6265 §5.1.4). */
export function isSentTo(cookiePath: string, path: string): boolean {
  if (!path.startsWith(cookiePath)) return false
  return path.length === cookiePath.length || cookiePath.endsWith('/') || path[cookiePath.length] === '/'
}

function sealContext(policy: Policy, cookie: SessionCookie): SealContext {
  return { purpose: 'session', realm: policy.session.realm, name: cookie.name }
}

function clear(cookie: SessionCookie, indices: readonly number[]): HeaderList {
  const cleared = indices.map((index) => clearCookie(`${cookie.name}${index}`, cookie.attributes))
  return [...cleared.map((value) => ['set-cookie', value] as const), NOT_CACHED]
}

/** Of one session written twice, the later writing counts. */
function isOlder(found: OpenedSession, other: OpenedSession): boolean {
  const [one, two] = [found.lookup.session, other.lookup.session]
  if (one.createdAtSeconds !== two.createdAtSeconds) return one.createdAtSeconds < two.createdAtSeconds
  return one.lastSeenAtSeconds > two.lastSeenAtSeconds
}
