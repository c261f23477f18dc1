import { nowSeconds, systemTimers, type Timers } from '../../clock.ts'
import type {
  Answer,
  Refused,
  ServerUnavailable,
  TokenSet,
} from '../authorization-server/authorization-server-client.ts'
import { audit, type Happening } from '../audit.ts'
import type { AuthDependencies } from '../authorize.ts'
import { clientWithSecret } from '../client-with-secret.ts'
import { andThen, type MaybePromise } from '../maybe-promise.ts'
import type { RefreshOutcome } from '../session/session-observer.ts'
import type { SessionRequest, SessionStore } from '../session/session-store.ts'
import { hasExpired, isRefreshDue } from '../session/session-timeouts.ts'
import type { Session, SessionLookup } from '../session/session.ts'
import { refreshedSession } from './refreshed-session.ts'

/** A refresh that runs or ran, for all requests that came with the same session. */
interface Flight {
  /** Infinite while it runs. */
  untilMs: number
  /** It left the session as it was. */
  isKept: boolean
  readonly outcome: Promise<SessionLookup>
}

/** The server would say the same again: the refresh token is spent, or the answer was of somebody else. */
const FINAL_REFUSALS: ReadonlySet<string> = new Set(['invalid_grant', 'invalid_id_token'])
/** What an operator mends at the client, while the session itself is as good as before. */
const CLIENT_REFUSALS: ReadonlySet<string> = new Set(['invalid_client'])

/** How long requests with the session from before get the outcome. */
const REFRESHED_GRACE_MS = 20_000
const FAILED_GRACE_MS = 5_000
const UNAVAILABLE_GRACE_MS = 1_000
/** Another replica is refreshing: how often to look whether it is done. */
const POLL_MS = 50
/** A refresh may have to find the endpoint, ask it, and fetch the keys of the ID token. */
const LONGEST_CALLS = 3
/** Beyond the time-outs of the calls: for the store. */
const LOCK_MARGIN_MS = 5_000

/**
 * Refreshes sessions before their access tokens expire, or once they have: once for all requests of this thread, and
 * through store and broker once for all threads and replicas that can know of each other.
 */
export class SessionRefresh {
  readonly #deps: AuthDependencies
  readonly #store: SessionStore
  readonly #timers: Timers
  readonly #flights = new WeakMap<Session, Flight>()

  constructor(deps: AuthDependencies, store: SessionStore, timers: Timers = systemTimers) {
    this.#deps = deps
    this.#store = store
    this.#timers = timers
  }

  /**
   * The request's session with tokens that are good now: at once, but where it is time to refresh. While the
   * authorization server gives no answer, a session goes on until its access token expires, and is `unavailable` then.
   * A session of cookies is not refreshed for an established connection, as its browser would not get the new tokens
   * and would lose the session with the old ones.
   */
  open(request: SessionRequest): MaybePromise<SessionLookup> {
    const { facts, policy } = request
    if (facts.established === true && policy.session.redis === undefined) return this.#store.open(request)
    return andThen(this.#store.open(request), (lookup) => {
      if (lookup.kind !== 'session' || !this.#isDue(lookup.session, request)) return lookup
      return this.#share(request, lookup)
    })
  }

  #isDue(session: Session, { policy }: SessionRequest): boolean {
    // Most have nothing to refresh with, and need not know what time it is.
    return (
      session.refreshToken !== undefined &&
      isRefreshDue(session, policy.session, nowSeconds(this.#deps.clock))
    )
  }

  #share(
    request: SessionRequest,
    lookup: SessionLookup & { readonly kind: 'session' },
  ): Promise<SessionLookup> {
    const { session } = lookup
    const known = this.#flights.get(session)
    if (known !== undefined && this.#isGood(known, session)) return known.outcome
    const outcome = this.#refresh(request, lookup)
    const flight: Flight = { untilMs: Number.POSITIVE_INFINITY, isKept: false, outcome }
    this.#flights.set(session, flight)
    return outcome.then(
      (refreshed) => {
        const { clock } = this.#deps
        flight.isKept = refreshed.kind === 'session' && refreshed.session === session
        const lifetimeMs = flight.isKept ? FAILED_GRACE_MS : graceMs(refreshed, clock.now())
        flight.untilMs = clock.monotonic() + lifetimeMs
        return refreshed
      },
      (error: unknown) => {
        // A mistake of ours costs these requests, and not the session.
        this.#flights.delete(session)
        throw error
      },
    )
  }

  #isGood({ untilMs, isKept }: Flight, session: Session): boolean {
    const { clock } = this.#deps
    return clock.monotonic() < untilMs && !(isKept && hasExpired(session, nowSeconds(clock)))
  }

  async #refresh(
    request: SessionRequest,
    lookup: SessionLookup & { readonly kind: 'session' },
  ): Promise<SessionLookup> {
    const { timeoutMs } = request.policy.server
    // Longer than any refresh: two with one refresh token would look like its theft (RFC 9700 §4.14.2).
    const ttlMs = LONGEST_CALLS * timeoutMs + LOCK_MARGIN_MS
    const patienceMs = timeoutMs + LOCK_MARGIN_MS
    for (let waitedMs = 0; waitedMs <= patienceMs; waitedMs += POLL_MS) {
      const lock = await this.#store.lock(request, lookup.session, ttlMs)
      if (lock.kind === 'held') {
        try {
          return await this.#refreshAlone(request)
        } finally {
          await lock.release()
        }
      }
      // Somebody else refreshes, or nobody can say: what is still good needs no waiting.
      if (!hasExpired(lookup.session, nowSeconds(this.#deps.clock))) return lookup
      if (lock.kind === 'unavailable') return STORE_UNAVAILABLE
      await this.#pause()
      const fresh = await this.#store.reread(request)
      if (fresh.kind !== 'session' || !this.#isDue(fresh.session, request)) return fresh
    }
    return serverUnavailable('another replica does not finish its refresh')
  }

  /** Whoever had the lock before may have refreshed already. */
  async #refreshAlone(request: SessionRequest): Promise<SessionLookup> {
    const fresh = await this.#store.reread(request)
    if (fresh.kind !== 'session' || !this.#isDue(fresh.session, request)) return fresh
    const answer = await this.#ask(request, fresh.session)
    if (answer.ok) return this.#keep(request, fresh.session, answer.value)
    if (answer.kind === 'refused' && FINAL_REFUSALS.has(answer.error))
      return this.#endUnlessRefreshed(request, fresh.session)
    return this.#goOn(request, fresh, answer)
  }

  async #ask({ snapshot, policy }: SessionRequest, session: Session): Promise<Answer<TokenSet>> {
    const client = clientWithSecret(policy, snapshot, 'tokenEndpointAuthMethod')
    const { refreshToken, idTokenClaims } = session
    if (client === undefined || refreshToken === undefined) {
      return {
        ok: false,
        kind: 'refused',
        error: 'invalid_client',
        description: 'the client or its secret is missing',
      }
    }
    const { sub, nonce } = idTokenClaims
    return this.#deps.authorizationServers.refreshTokenGrant(policy.server, {
      client,
      refreshToken,
      session: { realm: policy.session.realm, id: session.id },
      ...(typeof sub === 'string' && { subject: sub }),
      ...(typeof nonce === 'string' && { nonce }),
      tokenArguments: policy.tokenArguments,
      leewaySeconds: policy.verification.leewaySeconds,
    })
  }

  async #keep(request: SessionRequest, session: Session, tokens: TokenSet): Promise<SessionLookup> {
    const now = nowSeconds(this.#deps.clock)
    const refreshed = refreshedSession(session, tokens, now)
    const saved = await this.#store.update(request, refreshed)
    // The broker keeps its answer for a while: with a store that is back by then, nothing is lost.
    if (!saved.ok) return saved.reason === 'unavailable' ? STORE_UNAVAILABLE : this.#end(request, refreshed)
    this.#tell('refreshed', request, refreshed)
    return { kind: 'session', session: refreshed, setCookies: saved.setCookies }
  }

  /**
   * The lock runs out under a refresh that takes too long, and whoever had it next has spent the refresh token: what he
   * got for it is the session now.
   */
  async #endUnlessRefreshed(request: SessionRequest, session: Session): Promise<SessionLookup> {
    const { refreshToken } = session
    const fresh = await this.#store.reread(request)
    if (fresh.kind === 'unavailable') return fresh
    if (fresh.kind !== 'session' || fresh.session.refreshToken === refreshToken)
      return this.#end(request, session)
    if (!hasExpired(fresh.session, nowSeconds(this.#deps.clock))) return fresh
    return serverUnavailable('another replica has refreshed the session', 1)
  }

  async #end(request: SessionRequest, session: Session): Promise<SessionLookup> {
    this.#tell('ended', request, session)
    const { clearCookies } = await this.#store.destroy(request)
    return { kind: 'invalid', clearCookies }
  }

  #goOn(
    request: SessionRequest,
    lookup: SessionLookup & { readonly kind: 'session' },
    answer: Refused | ServerUnavailable,
  ): MaybePromise<SessionLookup> {
    this.#tell(answer.kind, request, lookup.session, answer.kind === 'refused' ? answer.error : answer.reason)
    if (!hasExpired(lookup.session, nowSeconds(this.#deps.clock))) return lookup
    if (answer.kind === 'unavailable') return serverUnavailable(answer.reason, answer.retryAfterSeconds)
    if (CLIENT_REFUSALS.has(answer.error)) return serverUnavailable(`refresh was refused: ${answer.error}`)
    return this.#end(request, lookup.session)
  }

  #tell(outcome: RefreshOutcome, { facts, policy }: SessionRequest, session: Session, detail?: string): void {
    this.#deps.sessionObserver?.refreshed(outcome)
    const happening: Happening = {
      event: 'refresh',
      outcome: outcome === 'refreshed' ? 'ok' : outcome,
      plugin: policy.id,
      ...(detail !== undefined && { detail }),
    }
    audit(this.#deps.audit, facts, happening, session)
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.after(POLL_MS, resolve)
    })
  }
}

const STORE_UNAVAILABLE: SessionLookup = {
  kind: 'unavailable',
  cause: 'session_store',
  detail: 'Redis gives no answer',
  retryAfterSeconds: 1,
}

function serverUnavailable(detail: string, retryAfterSeconds = 5): SessionLookup {
  return { kind: 'unavailable', cause: 'authorization_server', detail, retryAfterSeconds }
}

/** Success is shared with requests that were sent with the session from before, while its token is good. */
function graceMs(outcome: SessionLookup, nowMs: number): number {
  if (outcome.kind === 'unavailable') return outcome.cause === 'session_store' ? 0 : UNAVAILABLE_GRACE_MS
  if (outcome.kind !== 'session') return REFRESHED_GRACE_MS
  const expiresAtMs = (outcome.session.accessTokenExpiresAtSeconds ?? Number.POSITIVE_INFINITY) * 1000
  return Math.min(REFRESHED_GRACE_MS, expiresAtMs - nowMs)
}
