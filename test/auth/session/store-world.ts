import { randomBytes } from 'node:crypto'
import type { AuthSnapshot } from '../../../src/auth/authorize.ts'
import { claimsOf } from '../../../src/auth/session/session-payload.ts'
import type { SessionRequest, SessionStore } from '../../../src/auth/session/session-store.ts'
import type { Session, SessionLookup } from '../../../src/auth/session/session.ts'
import type { Policy } from '../../../src/table/policy.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Browser, factsOf, setCookiesIn } from '../relying-party/browser.ts'
import { jwtOf, newKey, policyOf, snapshotOf, type PolicyChanges } from '../relying-party/login-fixture.ts'

export const APP = 'https://app.example.com/orders'

/** Makes the store of one more thread or replica: nothing is cached in it. */
export type NewStore = (clock: ManualClock) => SessionStore

/** A browser before a session store. */
export class StoreWorld {
  readonly clock = new ManualClock()
  readonly browser = new Browser()
  readonly key = newKey()
  readonly policy: Policy
  readonly store: SessionStore
  snapshot: AuthSnapshot
  readonly #newStore: NewStore

  constructor(newStore: NewStore, policy: Policy) {
    this.policy = policy
    this.snapshot = snapshotOf([policy], [this.key])
    this.#newStore = newStore
    this.store = this.newThread()
  }

  newThread(): SessionStore {
    return this.#newStore(this.clock)
  }

  /** Another set of session keys, newest first. */
  rotateTo(...keys: string[]): void {
    this.snapshot = snapshotOf([this.policy], keys)
  }

  session(changes: Partial<Session> = {}): Session {
    const now = Math.floor(this.clock.now() / 1000)
    const accessToken = changes.accessToken ?? jwtOf({ sub: 'alice' })
    const idToken = changes.idToken ?? jwtOf({ sub: 'alice', email: 'alice@example.com' })
    return {
      id: randomBytes(16).toString('base64url'),
      accessToken,
      accessTokenClaims: claimsOf(accessToken),
      idToken,
      idTokenClaims: claimsOf(idToken),
      accessTokenExpiresAtSeconds: now + 86_400,
      tokensIssuedAtSeconds: now,
      createdAtSeconds: now,
      renewedAtSeconds: now,
      lastSeenAtSeconds: now,
      ...changes,
    }
  }

  request(url = APP, policy = this.policy): SessionRequest {
    return { snapshot: this.snapshot, policy, facts: this.browser.go(url) }
  }

  /** Creates it in the browser; gives the Set-Cookie values. */
  async create(session = this.session(), url = APP): Promise<readonly string[]> {
    const request = this.request(url)
    const saved = await this.store.create(request, session)
    if (!saved.ok) throw new Error(`not created: ${saved.reason}`)
    this.browser.takeHeaders(saved.setCookies, request.facts)
    return setCookiesIn(saved.setCookies)
  }

  /** What the browser's cookies say; what is set or cleared is stored. */
  async open(url = APP, store = this.store, policy = this.policy): Promise<SessionLookup> {
    const request = this.request(url, policy)
    const lookup = await store.open(request)
    if (lookup.kind === 'session') this.browser.takeHeaders(lookup.setCookies, request.facts)
    if (lookup.kind === 'invalid') this.browser.takeHeaders(lookup.clearCookies, request.facts)
    return lookup
  }

  /** What a Cookie header says, whoever sent it. */
  async openCookie(cookie: string, url = APP, store = this.newThread()): Promise<SessionLookup> {
    const facts = factsOf(url, { headers: { cookie } })
    return store.open({ snapshot: this.snapshot, policy: this.policy, facts })
  }

  cookie(url = APP): string {
    return this.browser.go(url).headers['cookie'] as string
  }
}

export type NewWorld = (changes?: PolicyChanges['session']) => StoreWorld

export function worldOf(newStore: NewStore, session: PolicyChanges['session'] = {}): StoreWorld {
  return new StoreWorld(newStore, policyOf({ session }))
}

/** A token that does not compress, so that a session with it is as large as it gets. */
export function largeToken(characters: number): string {
  return randomBytes(Math.ceil((characters * 3) / 4))
    .toString('base64url')
    .slice(0, characters)
}

export function sessionIn(lookup: SessionLookup): Session {
  if (lookup.kind !== 'session') throw new Error(`no session but ${lookup.kind}`)
  return lookup.session
}
