import { LRUCache } from 'lru-cache'
import { nowSeconds, type Clock } from '../../clock.ts'
import type { Policy } from '../../table/policy.ts'
import { CacheCounts, type CacheTally } from '../cache-counts.ts'
import type { ExpiredHandler } from './expired-session.ts'
import type { HeaderList } from '../decision.ts'
import { cookieHeaderOf } from './cookie-header.ts'
import { open, saltOf, seal, type SealContext } from './seal.ts'
import { chunksPresent, readChunks, type SessionCookie } from './session-chunks.ts'
import { SessionCookies } from './session-cookies.ts'
import type { KeyRing, SessionKeys } from './session-keys.ts'
import { decodeSession, encodeSession, sizeOfSession } from './session-payload.ts'
import type {
  Claim,
  DestroyByResult,
  DestroyResult,
  SaveResult,
  SessionLock,
  SessionRequest,
  SessionStore,
} from './session-store.ts'
import { afterUse, hasEnded, hasSurelyEnded, touchIntervalSeconds } from './session-timeouts.ts'
import type { Session, SessionLookup } from './session.ts'

/** An opened session, with all that the same bytes must agree in to be it. */
interface OpenedSession {
  readonly sealed: string
  readonly realm: string
  readonly cookieName: string
  readonly keyId: string
  readonly lookup: SessionLookup & { readonly kind: 'session' }
  /** The last touch or renewal, handed to all requests that still carry these bytes. */
  touched?: { readonly atSeconds: number; readonly lookup: SessionLookup }
  /** Its end was told. */
  isTold?: true
}

const MAXIMUM_SESSIONS = 10_000
const MAXIMUM_CACHED_CHARACTERS = 32 * 1024 * 1024
const NO_SESSION: SessionLookup = { kind: 'none' }
const NO_HEADERS: HeaderList = []
const HELD: SessionLock = { kind: 'held', release: () => undefined }

/**
 * Sessions inside sealed cookies. A session whose bytes were opened before costs no cryptography; its timeouts are
 * judged anew on each request all the same.
 */
export class CookieSessionStore implements SessionStore {
  readonly #clock: Clock
  readonly #randomBytes: (size: number) => Buffer
  readonly #keys: SessionKeys
  readonly #cookies = new SessionCookies()
  readonly #opened = new LRUCache<string, OpenedSession>({
    max: MAXIMUM_SESSIONS,
    maxSize: MAXIMUM_CACHED_CHARACTERS,
    sizeCalculation: ({ sealed, lookup }) => sealed.length + sizeOfSession(lookup.session),
  })

  readonly #tally: CacheTally
  readonly #onExpired: ExpiredHandler

  /**
   * @param caches Where it is counted how often a session need not be opened.
   * @param onExpired Told of a session that comes back after its end, once while its bytes are remembered.
   */
  constructor(
    clock: Clock,
    randomBytes: (size: number) => Buffer,
    keys: SessionKeys,
    caches = new CacheCounts(),
    onExpired: ExpiredHandler = () => undefined,
  ) {
    this.#onExpired = onExpired
    this.#tally = caches.tally('sessions', () => this.#opened.size)
    this.#clock = clock
    this.#randomBytes = randomBytes
    this.#keys = keys
  }

  /**
   * The request's session. Where several cookies of the name open, the oldest session that has not ended counts: a
   * sibling host can plant a session of its own beside the user's (cookie tossing), and neither garbage nor a
   * session begun later may push out the one that the user already has. `__Host-` names cannot be planted at all.
   */
  open(request: SessionRequest): SessionLookup {
    const { snapshot, policy, facts } = request
    const cookieHeader = cookieHeaderOf(facts.headers)
    const cookie = this.#cookies.of(policy.session, facts)
    if (!cookieHeader.includes(cookie.name)) return NO_SESSION
    const ring = this.#keys.ringOf(snapshot)
    const now = nowSeconds(this.#clock)
    const isOver = facts.established === true ? hasSurelyEnded : hasEnded
    let oldest: OpenedSession | undefined
    for (const sealed of readChunks(cookieHeader, cookie.name)) {
      const found = this.#openSealed(sealed, cookie, policy, ring)
      if (found === undefined) continue
      if (isOver(found.lookup.session, policy.session, now)) this.#tellEnd(request, found)
      else if (oldest === undefined || isOlder(found, oldest)) oldest = found
    }
    if (oldest !== undefined) return this.#used(request, oldest, now)
    if (chunksPresent(cookieHeader, cookie.name, 0).length === 0) return NO_SESSION
    return { kind: 'invalid', clearCookies: this.#cookies.clear(policy.session, facts) }
  }

  /** Seals a session into cookies and clears chunks of an earlier, longer one. */
  create(request: SessionRequest, session: Session): SaveResult {
    const { snapshot, policy, facts } = request
    const ring = this.#keys.ringOf(snapshot)
    if (ring[0] === undefined) return { ok: false, reason: 'no_key' }
    const cookie = this.#cookies.of(policy.session, facts)
    const sealed = seal(encodeSession(session), ring[0], sealContext(policy, cookie), this.#randomBytes)
    const setCookies = sealed === undefined ? undefined : this.#cookies.write(policy.session, facts, sealed)
    if (sealed === undefined || setCookies === undefined) return { ok: false, reason: 'too_large' }
    this.#openSealed(sealed, cookie, policy, ring)
    return { ok: true, setCookies }
  }

  reread(request: SessionRequest): SessionLookup {
    return this.open(request)
  }

  lock(): SessionLock {
    return HELD
  }

  /** A session of cookies is kept by writing them anew. */
  update(request: SessionRequest, session: Session): SaveResult {
    return this.create(request, session)
  }

  /** A copy of the cookies stays good until its session ends by itself: nothing here could tell them apart. */
  destroy({ policy, facts }: SessionRequest): DestroyResult {
    return { ok: true, clearCookies: this.#cookies.clear(policy.session, facts) }
  }

  destroyBy(): Promise<DestroyByResult> {
    return Promise.resolve({ ok: false, reason: 'unsupported' })
  }

  claim(): Promise<Claim> {
    return Promise.resolve({ kind: 'unavailable' })
  }

  close(): void {
    this.#opened.clear()
  }

  /** Once: a browser sends many requests before it has heard that its session is over. */
  #tellEnd(request: SessionRequest, opened: OpenedSession): void {
    if (opened.isTold) return
    opened.isTold = true
    this.#onExpired(request, opened.lookup.session)
  }

  /** The lookup of a valid session, with its cookies written anew when a timeout wants it. */
  #used(request: SessionRequest, opened: OpenedSession, now: number): SessionLookup {
    const { policy, facts } = request
    if (facts.established === true) return opened.lookup
    const session = afterUse(opened.lookup.session, policy.session, now)
    if (session === undefined) return opened.lookup
    const { touched } = opened
    if (touched !== undefined && now - touched.atSeconds < touchIntervalSeconds(policy.session))
      return touched.lookup
    const saved = this.update(request, session)
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
      this.#tally.hits += 1
      return ring.some((key) => key.id === known.keyId) ? known : undefined
    }
    this.#tally.misses += 1
    const opened = open(sealed, ring, sealContext(policy, cookie))
    const session = opened && decodeSession(opened.plain)
    if (opened === undefined || session === undefined) return undefined
    const lookup = { kind: 'session', session, setCookies: NO_HEADERS } as const
    const entry = { sealed, realm, cookieName: cookie.name, keyId: opened.keyId, lookup }
    this.#opened.set(saltOf(sealed), entry)
    return entry
  }
}

function sealContext(policy: Policy, cookie: SessionCookie): SealContext {
  return { purpose: 'session', realm: policy.session.realm, name: cookie.name }
}

/** Of one session written twice, the later writing counts. */
function isOlder(found: OpenedSession, other: OpenedSession): boolean {
  const [one, two] = [found.lookup.session, other.lookup.session]
  if (one.createdAtSeconds !== two.createdAtSeconds) return one.createdAtSeconds < two.createdAtSeconds
  return one.lastSeenAtSeconds > two.lastSeenAtSeconds
}
