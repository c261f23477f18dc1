import { nowSeconds, type Clock } from '../../../clock.ts'
import type { Policy, RedisServer } from '../../../table/policy.ts'
import type { AuthSnapshot } from '../../authorize.ts'
import type { HeaderList } from '../../decision.ts'
import { CacheCounts } from '../../cache-counts.ts'
import type { MaybePromise } from '../../maybe-promise.ts'
import { cookieHeaderOf } from '../cookie-header.ts'
import type { ExpiredHandler } from '../expired-session.ts'
import { chunksPresent } from '../session-chunks.ts'
import { SessionCookies } from '../session-cookies.ts'
import type { KeyRing, SessionKeys } from '../session-keys.ts'
import type {
  Claim,
  DestroyByResult,
  DestroyResult,
  SaveResult,
  SessionLock,
  SessionRequest,
  SessionStore,
  SessionSubject,
} from '../session-store.ts'
import { afterUse, hasEnded, longestSeconds, remainingSeconds } from '../session-timeouts.ts'
import type { Session, SessionLookup, SessionUnavailable } from '../session.ts'
import {
  isOlder,
  KnownSessions,
  openContents,
  sealContents,
  untoldEnd,
  type KnownSession,
  type LastRead,
} from './known-sessions.ts'
import type { RedisConnections } from './redis-connections.ts'
import { newHandleKey } from './session-handle.ts'
import { claimKey, indexKey, indexKeys, ownerOf } from './session-index.ts'
import { SessionRecords, type Listing, type RecordChange } from './session-records.ts'

/** What the store needs of the world. */
export interface RedisStoreDependencies {
  readonly clock: Clock
  readonly randomBytes: (size: number) => Buffer
  readonly keys: SessionKeys
  readonly connections: RedisConnections
  /** Where it is counted how often a cookie need not be opened. Default: nobody asks. */
  readonly caches?: CacheCounts
  /** Told of a session that comes back after its end. */
  readonly onExpired?: ExpiredHandler
}

/** A claim that nobody kept or released, as when Redis went away meanwhile, lapses after this. */
const CLAIM_MS = 10_000
/** A session may have been ended elsewhere so long ago. */
const MAXIMUM_AGE_MS = 1_000
const VERSION_BYTES = 12
const NO_SESSION: SessionLookup = { kind: 'none' }
const NO_HEADERS: HeaderList = []
const GONE: SaveResult = { ok: false, reason: 'gone' }
/**
 * Sessions in Redis. The browser's cookie holds the session's id and a key; Redis holds contents that open with that
 * key and the server's together. What was read is used for a second at most.
 */
export class RedisSessionStore implements SessionStore {
  readonly #deps: RedisStoreDependencies
  readonly #cookies = new SessionCookies()
  readonly #known: KnownSessions

  constructor(deps: RedisStoreDependencies) {
    this.#deps = deps
    this.#known = new KnownSessions(this.#cookies, deps.caches ?? new CacheCounts())
  }

  /** Of several sessions, which a sibling host can plant beside the user's, the oldest that has not ended counts. */
  open(request: SessionRequest): MaybePromise<SessionLookup> {
    const { policy, facts, snapshot } = request
    const { name } = this.#cookies.of(policy.session, facts)
    if (!cookieHeaderOf(facts.headers).includes(name)) return NO_SESSION
    const known = this.#known.of(request, this.#deps.keys.ringOf(snapshot))
    const oldestMs = this.#deps.clock.monotonic() - MAXIMUM_AGE_MS
    // Nothing is known of what was never read, also in a thread's first second, when `oldestMs` is below zero.
    if (known.every(({ destroyed, read }) => destroyed || (read !== undefined && read.atMs > oldestMs)))
      return this.#judge(request, known)
    return this.#readAll(request, known)
  }

  async reread(request: SessionRequest): Promise<SessionLookup> {
    const known = this.#known.of(request, this.#deps.keys.ringOf(request.snapshot))
    // A read that is under way was asked before whatever happened meanwhile.
    for (const each of known) delete each.reading
    return await this.#readAll(request, known)
  }

  async create(request: SessionRequest, session: Session): Promise<SaveResult> {
    const { snapshot, policy, facts } = request
    const { randomBytes } = this.#deps
    const ring = this.#deps.keys.ringOf(snapshot)
    if (ring[0] === undefined) return { ok: false, reason: 'no_key' }
    const { realm } = policy.session
    const handle = { id: session.id, key: newHandleKey(randomBytes) }
    const cookie = this.#known.sealHandle(request, handle, ring[0], randomBytes)
    const sealed = sealContents(session, { realm, handle }, ring, randomBytes)
    const setCookies = cookie === undefined ? undefined : this.#cookies.write(policy.session, facts, cookie)
    if (sealed === undefined || setCookies === undefined) return { ok: false, reason: 'too_large' }
    // One that a sibling host planted would otherwise be the older of the two, and count.
    const before = this.#known.of(request, ring)
    const ended = before.map((each) => recordKey(policy, each.handle.id))
    const change = this.#change(policy, session, sealed)
    const answer = await this.#records(request).create(change, this.#listing(request, session), ended)
    if (!answer.ok) return { ok: false, reason: 'unavailable' }
    for (const each of before) each.destroyed = true
    return { ok: true, setCookies }
  }

  async update(request: SessionRequest, session: Session): Promise<SaveResult> {
    const { policy } = request
    const ring = this.#deps.keys.ringOf(request.snapshot)
    const known = this.#known.of(request, ring).find(({ handle }) => handle.id === session.id)
    if (known === undefined || known.destroyed) return GONE
    const sealed = sealContents(session, known, ring, this.#deps.randomBytes)
    if (sealed === undefined) return { ok: false, reason: 'too_large' }
    const change = this.#change(policy, session, sealed)
    const answer = await this.#records(request).replace(change)
    if (!answer.ok) return { ok: false, reason: 'unavailable' }
    if (!answer.value) return GONE
    this.#wrote(known, change, ring, session)
    return { ok: true, setCookies: NO_HEADERS }
  }

  async lock(request: SessionRequest, session: Session, ttlMs: number): Promise<SessionLock> {
    const key = `${redisOf(request.policy).prefix}l:${session.id}`
    const holder = this.#deps.randomBytes(16).toString('base64url')
    const records = this.#records(request)
    const answer = await records.lock(key, holder, ttlMs)
    const release = async (): Promise<void> => {
      await records.unlock(key, holder)
    }
    if (!answer.ok) return undone(release)
    if (!answer.value) return { kind: 'busy' }
    return { kind: 'held', release }
  }

  async destroy(request: SessionRequest): Promise<DestroyResult> {
    const { policy, facts, snapshot } = request
    const clearCookies = this.#cookies.clear(policy.session, facts)
    const known = this.#known.of(request, this.#deps.keys.ringOf(snapshot))
    for (const each of known) each.destroyed = true
    const keys = known.map(({ handle }) => recordKey(policy, handle.id))
    const ok = keys.length === 0 || (await this.#records(request).delete(keys)).ok
    return { ok, clearCookies }
  }

  async destroyBy(snapshot: AuthSnapshot, policy: Policy, subject: SessionSubject): Promise<DestroyByResult> {
    const { prefix } = redisOf(policy)
    const ring = this.#deps.keys.ringOf(snapshot)
    const indexes = ring.map((key) => indexKey(prefix, key, ownerOf(policy), subject))
    if (indexes.length === 0) return { ok: true, ended: 0 }
    const answer = await this.#records({ snapshot, policy }).deleteListed(indexes)
    return answer.ok ? { ok: true, ended: answer.value } : { ok: false, reason: 'unavailable' }
  }

  /** Claimed under each server key, so that replicas that know of a new key, or not yet, agree. */
  async claim(snapshot: AuthSnapshot, policy: Policy, name: string): Promise<Claim> {
    const { id, prefix } = redisOf(policy)
    const ring = this.#deps.keys.ringOf(snapshot)
    const keys = ring.map((key) => claimKey(prefix, key, ownerOf(policy), [id, name]))
    if (keys.length === 0) return { kind: 'unavailable' }
    const holder = this.#deps.randomBytes(16).toString('base64url')
    const records = this.#records({ snapshot, policy })
    const answer = await records.claim(keys, holder, CLAIM_MS)
    const release = async (): Promise<void> => {
      await Promise.all(keys.map((key) => records.unlock(key, holder)))
    }
    if (!answer.ok) return undone(release)
    if (!answer.value) return { kind: 'used' }
    return {
      kind: 'first',
      keep: async (seconds) => {
        await records.keepClaim(keys, holder, seconds)
      },
      release,
    }
  }

  close(): void {
    this.#deps.connections.close()
    this.#known.clear()
  }

  async #readAll(request: SessionRequest, known: readonly KnownSession[]): Promise<SessionLookup> {
    const faults = await Promise.all(known.map((each) => (each.reading ??= this.#read(request, each))))
    const fault = faults.find((each) => each !== undefined)
    return fault === undefined ? this.#judge(request, known) : unavailable(fault)
  }

  /** @returns Why Redis did not answer, where it did not. */
  async #read(request: SessionRequest, known: KnownSession): Promise<string | undefined> {
    const before = known.read
    const atMs = this.#deps.clock.monotonic()
    const after = await this.#ask(request, known, atMs)
    delete known.reading
    if ('fault' in after) return after.fault
    // What was written meanwhile is newer.
    if (known.read === before) this.#known.note(known, after)
    return undefined
  }

  async #ask(
    request: SessionRequest,
    known: KnownSession,
    atMs: number,
  ): Promise<LastRead | { readonly fault: string }> {
    const key = recordKey(request.policy, known.handle.id)
    const records = this.#records(request)
    const found = known.read?.found
    if (found !== undefined) {
      const version = await records.version(key)
      if (!version.ok) return version
      if (version.value === found.record.version) return { atMs, found }
      if (version.value === undefined) {
        this.#tellEnd(request, known)
        return { atMs }
      }
    }
    const answer = await records.read(key)
    if (!answer.ok) return answer
    const ring = this.#deps.keys.ringOf(request.snapshot)
    const opened = answer.value && openContents(answer.value, known, ring)
    return { atMs, ...(opened && { found: opened }) }
  }

  /** Redis forgets what has ended: who it was, only a thread knows that has read it before. */
  #tellEnd(request: SessionRequest, known: KnownSession): void {
    const session = untoldEnd(known, request.policy.session, nowSeconds(this.#deps.clock))
    if (session !== undefined) this.#deps.onExpired?.(request, session)
  }

  #judge(request: SessionRequest, known: readonly KnownSession[]): SessionLookup {
    const { policy, facts } = request
    const now = nowSeconds(this.#deps.clock)
    let oldest: KnownSession | undefined
    for (const each of known) {
      const session = each.read?.found?.lookup.session
      if (session === undefined || each.destroyed) continue
      if (hasEnded(session, policy.session, now)) this.#tellEnd(request, each)
      else if (oldest === undefined || isOlder(each, oldest)) oldest = each
    }
    if (oldest !== undefined) return this.#used(request, oldest, now)
    const { name } = this.#cookies.of(policy.session, facts)
    if (chunksPresent(cookieHeaderOf(facts.headers), name, 0).length === 0) return NO_SESSION
    return { kind: 'invalid', clearCookies: this.#cookies.clear(policy.session, facts) }
  }

  /** Notes the use in the background. Once the newest server key is another, contents and cookie move to it. */
  #used(request: SessionRequest, known: KnownSession, now: number): SessionLookup {
    const found = known.read?.found
    const [newest] = this.#deps.keys.ringOf(request.snapshot)
    if (found === undefined || newest === undefined) return NO_SESSION
    const { lookup } = found
    if (request.facts.established === true) return lookup
    const touched = afterUse(lookup.session, request.policy.session, now)
    if (touched !== undefined || found.keyId !== newest.id)
      void this.#touch(request, known, touched ?? lookup.session)
    if (known.keyId === newest.id) return lookup
    const cookie = this.#known.sealHandle(request, known.handle, newest, this.#deps.randomBytes)
    const setCookies = cookie && this.#cookies.write(request.policy.session, request.facts, cookie)
    return setCookies ? { ...lookup, setCookies } : lookup
  }

  async #touch(request: SessionRequest, known: KnownSession, session: Session): Promise<void> {
    const found = known.read?.found
    if (known.touching || found === undefined) return
    known.touching = true
    const { policy, snapshot } = request
    const ring = this.#deps.keys.ringOf(snapshot)
    const records = this.#records(request)
    const sealed = sealContents(session, known, ring, this.#deps.randomBytes)
    if (sealed !== undefined) {
      const change = this.#change(policy, session, sealed)
      const answer = await records.touch(change, found.record.version)
      if (answer.ok && answer.value) {
        if (known.read?.found === found) this.#wrote(known, change, ring, session)
      } else if (known.read !== undefined) known.read.atMs = Number.NEGATIVE_INFINITY
      if (found.keyId !== ring[0]?.id) await records.list(change.key, this.#listing(request, session))
    }
    known.touching = false
  }

  #wrote(known: KnownSession, { sealed, version }: RecordChange, ring: KeyRing, session: Session): void {
    const lookup = { kind: 'session', session, setCookies: NO_HEADERS } as const
    const found = { record: { sealed, version }, keyId: ring[0]?.id ?? '', lookup }
    this.#known.note(known, { atMs: this.#deps.clock.monotonic(), found })
  }

  #change(policy: Policy, session: Session, sealed: string): RecordChange {
    const now = nowSeconds(this.#deps.clock)
    return {
      key: recordKey(policy, session.id),
      sealed,
      version: this.#deps.randomBytes(VERSION_BYTES).toString('base64url'),
      ttlSeconds: remainingSeconds(session, policy.session, now),
    }
  }

  #listing({ snapshot, policy }: SessionRequest, session: Session): Listing {
    const now = nowSeconds(this.#deps.clock)
    const [newest] = this.#deps.keys.ringOf(snapshot)
    const { prefix } = redisOf(policy)
    return {
      indexes: newest === undefined ? [] : indexKeys(prefix, newest, ownerOf(policy), session),
      longestSeconds: longestSeconds(session, policy.session, now),
      nowSeconds: now,
    }
  }

  #records({ snapshot, policy }: Pick<SessionRequest, 'snapshot' | 'policy'>): SessionRecords {
    return new SessionRecords(this.#deps.connections.get(snapshot, redisOf(policy)))
  }
}

/** A Redis that only answers late has done it all the same: then nobody is to wait for what nobody holds. */
function undone(release: () => Promise<void>): { readonly kind: 'unavailable' } {
  void release()
  return { kind: 'unavailable' }
}

function unavailable(fault: string): SessionUnavailable {
  const detail = `Redis gives no answer: ${fault}`
  return { kind: 'unavailable', cause: 'session_store', detail, retryAfterSeconds: 1 }
}

function redisOf({ session }: Policy): RedisServer {
  if (session.redis === undefined) throw new TypeError('the policy keeps no sessions in Redis')
  return session.redis
}

function recordKey(policy: Policy, id: string): string {
  return `${redisOf(policy).prefix}s:${id}`
}
