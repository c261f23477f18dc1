import type { Policy } from '../../table/policy.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { HeaderList } from '../decision.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { Session, SessionLookup } from './session.ts'

/** The request whose session is meant, and the policy whose realm it belongs to. */
export interface SessionRequest {
  readonly snapshot: AuthSnapshot
  readonly policy: Policy
  readonly facts: RequestFacts
}

/** Sessions to end without their cookies (OpenID Connect Back-Channel Logout §2.6): all of a user, or one login. */
export type SessionSubject =
  { readonly issuer: string; readonly sub: string } | { readonly issuer: string; readonly sid: string }

/**
 * The outcome of keeping a session. `unavailable`: the store gives no answer now; `gone`: the session was ended
 * meanwhile, by a logout elsewhere.
 */
export type SaveResult =
  | { readonly ok: true; readonly setCookies: HeaderList }
  | { readonly ok: false; readonly reason: 'too_large' | 'no_key' | 'unavailable' | 'gone' }

/**
 * The outcome of ending a session. `clearCookies` is to be sent in either case; where not `ok`, the session may live
 * on in the store for whoever has a copy of its cookie.
 */
export interface DestroyResult {
  readonly ok: boolean
  readonly clearCookies: HeaderList
}

/** The outcome of asking for a session alone. `busy`: somebody else has it, here or on another replica. */
export type SessionLock =
  | { readonly kind: 'held'; release(): MaybePromise<void> }
  | { readonly kind: 'busy' }
  | { readonly kind: 'unavailable' }

/**
 * The outcome of claiming what may be used once. `first`: it is the caller's for some seconds, who keeps it as used or
 * releases it for another try; `used`: somebody had it before, or has it now.
 */
export type Claim =
  | { readonly kind: 'first'; keep(seconds: number): Promise<void>; release(): Promise<void> }
  | { readonly kind: 'used' }
  | { readonly kind: 'unavailable' }

/** The outcome of ending sessions by subject. `unsupported`: they live in cookies alone, where nothing ends them. */
export type DestroyByResult =
  | { readonly ok: true; readonly ended: number }
  | { readonly ok: false; readonly reason: 'unsupported' | 'unavailable' }

/**
 * Where sessions live. Answers at once where it can: a session of cookies always, one of Redis within a second of its
 * last read. Never throws and never rejects.
 */
export interface SessionStore {
  /** The request's session that has not ended, written anew where a timeout wants it. */
  open(request: SessionRequest): MaybePromise<SessionLookup>
  /** As `open`, past everything that is cached: what a lock is good for. */
  reread(request: SessionRequest): MaybePromise<SessionLookup>
  /** Begins a session: new cookies, in place of whatever the browser had in this realm. */
  create(request: SessionRequest, session: Session): MaybePromise<SaveResult>
  /** Keeps the request's session with other contents, which must be of the same `id`. */
  update(request: SessionRequest, session: Session): MaybePromise<SaveResult>
  /**
   * Keeps others from refreshing the session, for so long at most. Sessions of cookies are always held at once: no
   * two replicas can know of each other.
   */
  lock(request: SessionRequest, session: Session, ttlMs: number): MaybePromise<SessionLock>
  /** Ends the request's session, whether or not it is still valid, and clears its cookies. */
  destroy(request: SessionRequest): MaybePromise<DestroyResult>
  /**
   * Ends all sessions of a subject that were begun with the policy's issuer and client in the policy's store. On every
   * thread and replica they are gone within a second.
   */
  destroyBy(snapshot: AuthSnapshot, policy: Policy, subject: SessionSubject): Promise<DestroyByResult>
  /**
   * Claims a name, such as the `jti` of a logout token, for the policy's issuer and client, before all threads and
   * replicas on the policy's store. `unavailable` where sessions live in cookies: no two replicas can know of each
   * other.
   */
  claim(snapshot: AuthSnapshot, policy: Policy, name: string): Promise<Claim>
  /** Closes connections. */
  close(): void
}
