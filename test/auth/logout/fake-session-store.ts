import type { AuthSnapshot } from '../../../src/auth/authorize.ts'
import type {
  Claim,
  DestroyByResult,
  DestroyResult,
  SaveResult,
  SessionLock,
  SessionRequest,
  SessionStore,
  SessionSubject,
} from '../../../src/auth/session/session-store.ts'
import type { Session, SessionLookup } from '../../../src/auth/session/session.ts'
import type { Policy } from '../../../src/table/policy.ts'

/** Sessions by realm, as a test sets them; remembers what was ended. */
export class FakeSessionStore implements SessionStore {
  readonly sessions = new Map<string, Session>()
  readonly ended: string[] = []
  readonly destroyed: { readonly realm: string; readonly subject: SessionSubject }[] = []
  readonly claimed = new Set<string>()
  down = false

  open({ policy }: SessionRequest): SessionLookup {
    const session = this.sessions.get(policy.session.realm)
    return session === undefined ? { kind: 'none' } : { kind: 'session', session, setCookies: [] }
  }

  reread(request: SessionRequest): SessionLookup {
    return this.open(request)
  }

  create(): SaveResult {
    return { ok: true, setCookies: [] }
  }

  update(): SaveResult {
    return { ok: true, setCookies: [] }
  }

  lock(): SessionLock {
    return { kind: 'held', release() {} }
  }

  destroy({ policy }: SessionRequest): DestroyResult {
    this.ended.push(policy.session.realm)
    this.sessions.delete(policy.session.realm)
    return { ok: !this.down, clearCookies: [['set-cookie', `${policy.session.cookieName}=; Max-Age=0`]] }
  }

  async destroyBy(
    _snapshot: AuthSnapshot,
    policy: Policy,
    subject: SessionSubject,
  ): Promise<DestroyByResult> {
    if (this.down) return { ok: false, reason: 'unavailable' }
    this.destroyed.push({ realm: policy.session.realm, subject })
    return { ok: true, ended: 1 }
  }

  async claim(_snapshot: AuthSnapshot, policy: Policy, name: string): Promise<Claim> {
    const key = JSON.stringify([policy.session.redis?.id, policy.client?.id, name])
    if (this.down) return { kind: 'unavailable' }
    if (this.claimed.has(key)) return { kind: 'used' }
    this.claimed.add(key)
    return { kind: 'first', keep: async () => {}, release: async () => void this.claimed.delete(key) }
  }

  close(): void {}
}
