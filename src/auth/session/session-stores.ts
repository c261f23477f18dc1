import { anyAddress, noLocalAddress } from '../authorization-server/address-guard.ts'
import type { AuthDependencies, AuthSnapshot } from '../authorize.ts'
import { CacheCounts } from '../cache-counts.ts'
import type { HeaderList } from '../decision.ts'
import { andThen, type MaybePromise } from '../maybe-promise.ts'
import type { Policy } from '../../table/policy.ts'
import { CookieSessionStore } from './cookie-session-store.ts'
import { auditExpired, type ExpiredHandler } from './expired-session.ts'
import { forgottenCookies } from './forgotten-cookies.ts'
import { RedisConnections } from './redis/redis-connections.ts'
import { RedisSessionStore } from './redis/redis-session-store.ts'
import type { SessionObserver } from './session-observer.ts'
import type { SessionKeys } from './session-keys.ts'
import type {
  Claim,
  DestroyByResult,
  DestroyResult,
  SaveResult,
  SessionLock,
  SessionRequest,
  SessionStore,
  SessionSubject,
} from './session-store.ts'
import type { Session, SessionLookup } from './session.ts'

/** The store of each policy's sessions. One per proxy thread. */
export function createSessionStores(deps: AuthDependencies, keys: SessionKeys): SessionStore {
  const { clock, randomBytes, allowLoopback = false, sessionObserver, caches = new CacheCounts() } = deps
  const connections = new RedisConnections(allowLoopback ? anyAddress : noLocalAddress, sessionObserver)
  const onExpired: ExpiredHandler = (request, session) => auditExpired(deps, request, session)
  return new SessionStores(
    new CookieSessionStore(clock, randomBytes, keys, caches, onExpired),
    new RedisSessionStore({ clock, randomBytes, keys, connections, caches, onExpired }),
    sessionObserver,
  )
}

class SessionStores implements SessionStore {
  readonly #cookies: SessionStore
  readonly #redis: SessionStore
  readonly #observer: SessionObserver | undefined

  constructor(cookies: SessionStore, redis: SessionStore, observer: SessionObserver | undefined) {
    this.#cookies = cookies
    this.#redis = redis
    this.#observer = observer
  }

  open(request: SessionRequest): MaybePromise<SessionLookup> {
    return this.#of(request.policy).open(request)
  }

  reread(request: SessionRequest): MaybePromise<SessionLookup> {
    return this.#of(request.policy).reread(request)
  }

  /** A login is also when cookies of realms that are no more are cleared, so that they cannot pile up. */
  async create(request: SessionRequest, session: Session): Promise<SaveResult> {
    const saved = await this.#of(request.policy).create(request, session)
    if (!saved.ok) return saved
    this.#observer?.started()
    this.#observer?.sealed(cookieBytes(saved.setCookies))
    const forgotten = forgottenCookies(request)
    return forgotten.length === 0 ? saved : { ok: true, setCookies: [...saved.setCookies, ...forgotten] }
  }

  update(request: SessionRequest, session: Session): MaybePromise<SaveResult> {
    return andThen(this.#of(request.policy).update(request, session), (saved) => {
      const bytes = saved.ok ? cookieBytes(saved.setCookies) : 0
      if (bytes > 0) this.#observer?.sealed(bytes)
      return saved
    })
  }

  lock(request: SessionRequest, session: Session, ttlMs: number): MaybePromise<SessionLock> {
    return this.#of(request.policy).lock(request, session, ttlMs)
  }

  destroy(request: SessionRequest): MaybePromise<DestroyResult> {
    return this.#of(request.policy).destroy(request)
  }

  destroyBy(snapshot: AuthSnapshot, policy: Policy, subject: SessionSubject): Promise<DestroyByResult> {
    return this.#of(policy).destroyBy(snapshot, policy, subject)
  }

  claim(snapshot: AuthSnapshot, policy: Policy, name: string): Promise<Claim> {
    return this.#of(policy).claim(snapshot, policy, name)
  }

  close(): void {
    this.#cookies.close()
    this.#redis.close()
  }

  #of({ session }: Policy): SessionStore {
    return session.redis === undefined ? this.#cookies : this.#redis
  }
}

/** Of names and values, which browsers send back; those that only clear a cookie have none. */
function cookieBytes(headers: HeaderList): number {
  const pairs = headers.flatMap(([name, value]) =>
    name === 'set-cookie' ? [value.split(';', 1)[0] ?? ''] : [],
  )
  return pairs.filter((pair) => !pair.endsWith('=')).reduce((sum, pair) => sum + pair.length, 0)
}
