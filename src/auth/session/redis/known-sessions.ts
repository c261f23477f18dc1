import { LRUCache } from 'lru-cache'
import type { SessionPolicy } from '../../../table/policy.ts'
import type { CacheCounts, CacheTally } from '../../cache-counts.ts'
import { cookieHeaderOf } from '../cookie-header.ts'
import { open, saltOf, seal, type SealContext } from '../seal.ts'
import { readChunks } from '../session-chunks.ts'
import type { SessionCookies } from '../session-cookies.ts'
import type { KeyRing, SessionKey } from '../session-keys.ts'
import { decodeSession, encodeSession, sizeOfSession } from '../session-payload.ts'
import type { SessionRequest } from '../session-store.ts'
import { hasEnded } from '../session-timeouts.ts'
import type { Session, SessionLookup } from '../session.ts'
import { contentKeys, decodeHandle, encodeHandle, type SessionHandle } from './session-handle.ts'
import type { SessionRecord } from './session-records.ts'

/** What Redis said of a session when it was last asked. */
export interface LastRead {
  /** Monotonic milliseconds when it was asked. */
  atMs: number
  /** Absent: there was no such session, or none that opens. */
  readonly found?: {
    readonly record: SessionRecord
    /** The server key that its contents are sealed under. */
    readonly keyId: string
    readonly lookup: SessionLookup & { readonly kind: 'session' }
  }
}

/** A session cookie that opened, and what is known of its session. */
export interface KnownSession {
  readonly sealed: string
  readonly realm: string
  readonly cookieName: string
  readonly keyId: string
  readonly handle: SessionHandle
  read?: LastRead
  /** Gives why Redis did not answer, where it did not. */
  reading?: Promise<string | undefined>
  touching: boolean
  /** It was ended here. */
  destroyed: boolean
  /** Its end by a timeout was told. */
  isTold?: true
}

const MAXIMUM_SESSIONS = 10_000
const MAXIMUM_CACHED_CHARACTERS = 32 * 1024 * 1024

/** The session, where it has ended by itself; once. */
export function untoldEnd(
  known: KnownSession,
  policy: SessionPolicy,
  nowSeconds: number,
): Session | undefined {
  const session = known.read?.found?.lookup.session
  if (session === undefined || known.isTold || known.destroyed) return undefined
  if (!hasEnded(session, policy, nowSeconds)) return undefined
  known.isTold = true
  return session
}

/** The sessions that one proxy thread has seen the cookies of. */
export class KnownSessions {
  readonly #cookies: SessionCookies
  readonly #known = new LRUCache<string, KnownSession>({
    max: MAXIMUM_SESSIONS,
    maxSize: MAXIMUM_CACHED_CHARACTERS,
    sizeCalculation: ({ sealed, read }) => {
      const found = read?.found
      const contents = found && found.record.sealed.length + sizeOfSession(found.lookup.session)
      return sealed.length * 4 + 2048 + (contents ?? 0)
    },
  })

  readonly #tally: CacheTally

  constructor(cookies: SessionCookies, caches: CacheCounts) {
    this.#cookies = cookies
    this.#tally = caches.tally('sessions', () => this.#known.size)
  }

  /** The sessions whose cookies the request holds: one, but where a sibling host planted another. */
  of({ policy, facts }: SessionRequest, ring: KeyRing): readonly KnownSession[] {
    const { name } = this.#cookies.of(policy.session, facts)
    const { realm } = policy.session
    return readChunks(cookieHeaderOf(facts.headers), name).flatMap((sealed) => {
      const known = this.#known.get(saltOf(sealed))
      if (known?.sealed === sealed && known.realm === realm && known.cookieName === name) {
        this.#tally.hits += 1
        return ring.some((key) => key.id === known.keyId) ? known : []
      }
      this.#tally.misses += 1
      return this.#open(sealed, { purpose: 'redis-handle', realm, name }, ring) ?? []
    })
  }

  /** Seals a handle for the request's cookie. `undefined`: its id is none of ours. */
  sealHandle(
    { policy, facts }: SessionRequest,
    handle: SessionHandle,
    key: SessionKey,
    randomBytes: (size: number) => Buffer,
  ): string | undefined {
    const { name } = this.#cookies.of(policy.session, facts)
    const plain = encodeHandle(handle)
    return (
      plain && seal(plain, key, { purpose: 'redis-handle', realm: policy.session.realm, name }, randomBytes)
    )
  }

  /** Notes what was read of a session; its size counts anew. */
  note(known: KnownSession, read: LastRead): void {
    known.read = read
    this.#known.set(saltOf(known.sealed), known)
  }

  clear(): void {
    this.#known.clear()
  }

  #open(sealed: string, context: SealContext, ring: KeyRing): KnownSession | undefined {
    const opened = open(sealed, ring, context)
    const handle = opened && decodeHandle(opened.plain)
    if (opened === undefined || handle === undefined) return undefined
    const { realm, name: cookieName } = context
    const known = {
      sealed,
      realm,
      cookieName,
      keyId: opened.keyId,
      handle,
      touching: false,
      destroyed: false,
    }
    this.#known.set(saltOf(sealed), known)
    return known
  }
}

/** Seals a session's contents for Redis; `undefined`: too large. */
export function sealContents(
  session: Session,
  owner: { readonly realm: string; readonly handle: SessionHandle },
  ring: KeyRing,
  randomBytes: (size: number) => Buffer,
): string | undefined {
  const [key] = contentKeys(ring.slice(0, 1), owner.handle)
  return key && seal(encodeSession(session), key, contentContext(owner), randomBytes)
}

/** What a record says, where it is of this session and opens. */
export function openContents(
  record: SessionRecord,
  owner: { readonly realm: string; readonly handle: SessionHandle },
  ring: KeyRing,
): LastRead['found'] {
  const opened = open(record.sealed, contentKeys(ring, owner.handle), contentContext(owner))
  const session = opened && decodeSession(opened.plain)
  if (opened === undefined || session?.id !== owner.handle.id) return undefined
  return { record, keyId: opened.keyId, lookup: { kind: 'session', session, setCookies: [] } }
}

function contentContext({
  realm,
  handle,
}: {
  readonly realm: string
  readonly handle: SessionHandle
}): SealContext {
  return { purpose: 'redis-session', realm, name: handle.id }
}

/** Whether one was begun before another. */
export function isOlder(one: KnownSession, other: KnownSession): boolean {
  const created = ({ read }: KnownSession): number => read?.found?.lookup.session.createdAtSeconds ?? 0
  return created(one) < created(other)
}
