import type { AuditObserver } from '../audit-event.ts'
import type { Clock } from '../clock.ts'
import type { Route, VirtualHost, JudgingTable } from '../table/routing-table.ts'
import type { SecretId } from '../table/secret-table.ts'
import type { AuthorizationServerClient } from './authorization-server/authorization-server-client.ts'
import type { CacheCounts } from './cache-counts.ts'
import type { AuthDecision, GoOn } from './decision.ts'
import type { MaybePromise } from './maybe-promise.ts'
import type { RequestFacts } from './request-facts.ts'
import type { SessionObserver } from './session/session-observer.ts'

/** What authorization needs of the world. */
export interface AuthDependencies {
  readonly clock: Clock
  readonly authorizationServers: AuthorizationServerClient
  /** Cryptographically strong bytes. */
  readonly randomBytes: (size: number) => Buffer
  /** Whether Redis may be at a loopback, link-local or unspecified address. Default: it may not. */
  readonly allowLoopback?: boolean
  readonly sessionObserver?: SessionObserver
  /** Told of logins, logouts and refreshes. Default: nobody is. */
  readonly audit?: AuditObserver
  /** Where caches tell how they are used. Default: nobody asks. */
  readonly caches?: CacheCounts
}

/** The snapshot's part that a request is authorized with; stays the same to the request's end. */
export interface AuthSnapshot {
  /** One object for as long as nothing in it changes. */
  readonly table: JudgingTable
  readonly secret: (id: SecretId) => string | undefined
  readonly sessionKeys: readonly SecretId[]
}

/**
 * Decides on requests. One per proxy thread: its caches live as long as it does. A decision that needs no
 * authorization server comes synchronously, so that a cache hit costs no promise.
 */
export interface Authorizer {
  /** For a matched route whose action is `forward` with at least one policy. */
  authorize(
    snapshot: AuthSnapshot,
    host: VirtualHost,
    route: Route,
    facts: RequestFacts,
  ): AuthDecision | Promise<AuthDecision>
  /**
   * For the callback's reserved path on a host with login policies, and for a `redirectUri` that is a routed path.
   * `undefined`: not a callback; go on with the route, or 404 on a reserved path.
   */
  callback(
    snapshot: AuthSnapshot,
    host: VirtualHost,
    facts: RequestFacts,
  ): MaybePromise<AuthDecision | GoOn | undefined>
  /** For the other reserved paths of a host with login policies: `/oauth2/start` and so on. */
  reserved(
    snapshot: AuthSnapshot,
    host: VirtualHost,
    facts: RequestFacts,
  ): AuthDecision | Promise<AuthDecision>
  /** Closes connections to session stores. */
  close?(): void
}
