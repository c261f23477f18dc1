import { randomBytes } from 'node:crypto'
import type { AuthSnapshot, Authorizer } from '../../src/auth/authorize.ts'
import type { CacheCounts } from '../../src/auth/cache-counts.ts'
import { createAuthorizer } from '../../src/auth/create-authorizer.ts'
import type { AuthDecision } from '../../src/auth/decision.ts'
import type { RelyingParty } from '../../src/auth/relying-party/relying-party.ts'
import type { RequestFacts } from '../../src/auth/request-facts.ts'
import type { Session, SessionLookup } from '../../src/auth/session/session.ts'
import type { Policy } from '../../src/table/policy.ts'
import {
  EMPTY_TABLE,
  type CompiledConsumer,
  type Route,
  type RoutingTable,
} from '../../src/table/routing-table.ts'
import { FakeAuthorizationServerClient } from './fake-authorization-server-client.ts'
import { ManualClock } from './manual-clock.ts'
import type { Signer } from './signed-tokens.ts'
import { aHost, aRoute } from './snapshot.ts'

/** A GET of `https://app.example.com/orders`, as a program sends it. */
export function someFacts(
  headers: RequestFacts['headers'] = {},
  overrides: Partial<RequestFacts> = {},
): RequestFacts {
  const { query = '', path = '/orders' } = overrides
  return {
    method: 'GET',
    scheme: 'https',
    host: 'app.example.com',
    authority: 'app.example.com',
    target: query === '' ? path : `${path}?${query}`,
    path,
    query,
    headers,
    clientAddress: '192.0.2.1',
    form: async () => undefined,
    ...overrides,
  }
}

/** The headers of a person's browser that goes to a page. */
export const NAVIGATION = {
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
} as const

/** Sessions by realm, as a test sets them; logins lead to `https://login.example.com/<policy>`. */
export class FakeRelyingParty implements RelyingParty {
  readonly sessions = new Map<string, SessionLookup>()
  readonly logins: Policy[] = []

  openSession(_snapshot: AuthSnapshot, policy: Policy): SessionLookup {
    return this.sessions.get(policy.session.realm) ?? { kind: 'none' }
  }

  startLogin(_snapshot: AuthSnapshot, policy: Policy): AuthDecision {
    this.logins.push(policy)
    return {
      kind: 'redirect',
      status: 302,
      location: `https://login.example.com/${policy.id}`,
      reason: 'login',
      responseHeaders: [['set-cookie', 'flow=1']],
    }
  }

  callback(): undefined {
    return undefined
  }

  close(): void {}

  async logOut(): Promise<AuthDecision> {
    return { kind: 'redirect', status: 302, location: '/', reason: 'logout', responseHeaders: [] }
  }

  reserved(): undefined {
    return undefined
  }
}

/** A session of alice with an opaque access token. */
export function aSession(overrides: Partial<Session> = {}): Session {
  return {
    id: 'session-1',
    accessToken: 'opaque-access-token',
    accessTokenClaims: {},
    idTokenClaims: {},
    tokensIssuedAtSeconds: 0,
    createdAtSeconds: 0,
    renewedAtSeconds: 0,
    lastSeenAtSeconds: 0,
    ...overrides,
  }
}

export interface HarnessOptions {
  readonly consumers?: readonly CompiledConsumer[]
  readonly route?: Partial<Route>
  readonly caches?: CacheCounts
}

/** An authorizer with a fake authorization server and fake sessions, on one route with the given policies. */
export class Harness {
  readonly clock = new ManualClock()
  readonly servers = new FakeAuthorizationServerClient()
  readonly relyingParty = new FakeRelyingParty()
  readonly authorizer: Authorizer
  table: RoutingTable
  route: Route
  snapshot: AuthSnapshot

  constructor(policies: readonly Policy[], options: HarnessOptions = {}) {
    const deps = {
      clock: this.clock,
      authorizationServers: this.servers,
      randomBytes: (n: number) => randomBytes(n),
      ...(options.caches && { caches: options.caches }),
    }
    this.authorizer = createAuthorizer(deps, this.relyingParty)
    const ids = policies.map((policy) => policy.id)
    this.route = aRoute('orders', {
      action: { kind: 'forward', upstream: 'default/orders/80', policies: ids },
      ...options.route,
    })
    this.table = {
      ...EMPTY_TABLE,
      policies: Object.fromEntries(policies.map((policy) => [policy.id, policy])),
      consumers: { default: options.consumers ?? [] },
    }
    this.snapshot = this.#snapshotOf(this.table)
  }

  /** A new snapshot, as after a publish. */
  publish(change: Partial<RoutingTable>): void {
    this.table = { ...this.table, ...change }
    this.snapshot = this.#snapshotOf(this.table)
  }

  /** Has the authorization server list these keys. */
  serveKeys(...signers: readonly Signer[]): void {
    this.servers.onKeys = () => ({
      ok: true,
      value: { keys: signers.map((signer) => ({ ...signer.publicJwk })), fetchedAtMs: this.clock.now() },
    })
  }

  /** What is decided at once or later. */
  ask(facts: RequestFacts): AuthDecision | Promise<AuthDecision> {
    return this.authorizer.authorize(this.snapshot, aHost('app.example.com', [this.route]), this.route, facts)
  }

  async askBearer(token: string, headers: RequestFacts['headers'] = {}): Promise<AuthDecision> {
    return await this.ask(someFacts({ authorization: `Bearer ${token}`, ...headers }))
  }

  #snapshotOf(table: RoutingTable): AuthSnapshot {
    return { table, secret: (id) => SECRETS[id], sessionKeys: [] }
  }
}

const SECRETS: Readonly<Record<string, string>> = { 'default/ostiary/client-secret': 'ostiary-secret' }

/** `allow`, `redirect`, `unavailable reason` or `<status> reason`: enough to compare most decisions. */
export function outcome(decision: AuthDecision): string {
  if (decision.kind === 'refuse') return `${decision.status} ${decision.reason}`
  if (decision.kind === 'unavailable') return `unavailable ${decision.reason}`
  return decision.kind === 'redirect' ? `redirect ${decision.reason}` : 'allow'
}

/** The headers set on the upstream request; throws where the request was not allowed. */
export function upstreamHeaders(decision: AuthDecision): Record<string, string> {
  if (decision.kind !== 'allow') throw new Error(`not allowed: ${outcome(decision)}`)
  return Object.fromEntries(decision.setHeaders)
}
