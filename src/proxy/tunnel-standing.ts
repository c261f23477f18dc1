import type { AuthDecision, Identity } from '../auth/decision.ts'
import { andThen, type MaybePromise } from '../auth/maybe-promise.ts'
import type { RequestFacts } from '../auth/request-facts.ts'
import { findRoute, findVirtualHost } from '../table/route-index.ts'
import type { Route, UpstreamId } from '../table/routing-table.ts'
import { refusalOfAmbiguity } from './ambiguous-path.ts'
import { authoritiesAskedFor, clientCertificateOf } from './client-certificates/client-certificate.ts'
import type { Engine, Exchange } from './exchange.ts'
import type { RequestTarget } from './request-target.ts'
import { rulesOf } from './traffic/route-rules.ts'

/** What an open tunnel was let through with; without anything of the snapshot it was opened under. */
export interface OpenedTunnel {
  readonly facts: RequestFacts
  readonly target: RequestTarget
  readonly identity: Identity
  readonly upstream: UpstreamId
  /** Whose certificates the client was asked for, and whether it has shown a good one. */
  readonly authorities: string | undefined
  readonly isCertified: boolean
}

/** `unknown`: nobody can say now. `reason` is a stable word for logs and metrics. */
export interface Standing {
  readonly kind: 'confirmed' | 'ended' | 'unknown'
  readonly reason: string
}

const CONFIRMED: Standing = { kind: 'confirmed', reason: '' }
const ROUTE_CHANGED: Standing = { kind: 'ended', reason: 'route_changed' }

/** What is kept of an exchange whose tunnel is to be judged again. */
export function openedBy(exchange: Exchange, identity: Identity): OpenedTunnel {
  const { facts, target, action, request } = exchange
  const authorities = authoritiesAskedFor(request.socket)
  const isCertified = clientCertificateOf(request.socket).state === 'verified'
  const { upstream } = action
  return { facts: establishedFacts(facts), target, identity, upstream, authorities, isCertified }
}

function establishedFacts(facts: RequestFacts): RequestFacts {
  const { method, scheme, host, authority, target, path, query, headers, clientAddress } = facts
  const known = { method, scheme, host, authority, target, path, query, headers, clientAddress }
  // A request for a WebSocket has no body.
  return { ...known, established: true, form: () => Promise.resolve(undefined) }
}

/**
 * Whether the request that opened a tunnel would be let through now: on the newest snapshot, to the same upstream, as
 * the same caller. Counts no decision, and answers at once where authorization does.
 */
export function judgeAgain(engine: Engine, opened: OpenedTunnel): MaybePromise<Standing> {
  const { snapshot } = engine
  const { facts, target, upstream } = opened
  const host = findVirtualHost(snapshot.index, facts.host)
  const route = host && findRoute(host, target.path)
  if (host === undefined || route === undefined) return ROUTE_CHANGED
  if (refusalOfAmbiguity(target, host, route) !== undefined) return ROUTE_CHANGED
  const { accessControl, action } = route
  if (action.kind === 'closed' || action.upstream !== upstream) return ROUTE_CHANGED
  if (rulesOf(route)?.source?.admits(facts.clientAddress) === false) return ROUTE_CHANGED
  if (!isCertifiedFor(route, host.virtualHost.clientAuthorities?.id, opened)) return ROUTE_CHANGED
  if (action.policies.length === 0) return accessControl === undefined ? CONFIRMED : ROUTE_CHANGED
  return andThen(engine.authorizer.authorize(snapshot, host.virtualHost, route, facts), (decision) =>
    standingOf(decision, opened.identity),
  )
}

/** A certificate counts under the authorities and revocation lists that it was shown to, and no others. */
function isCertifiedFor(
  { clientCertificate }: Route,
  wanted: string | undefined,
  { authorities, isCertified }: OpenedTunnel,
): boolean {
  if (clientCertificate === undefined) return true
  if (!isCertified) return clientCertificate === 'optional'
  return authorities === wanted
}

function standingOf(decision: AuthDecision, before: Identity): Standing {
  if (decision.kind === 'allow') {
    return isSameCaller(decision.identity, before) ? CONFIRMED : { kind: 'ended', reason: 'other_caller' }
  }
  return { kind: decision.kind === 'unavailable' ? 'unknown' : 'ended', reason: decision.reason }
}

/** Not somebody else, and nobody instead of somebody: an ended session must not go on as the anonymous consumer. */
function isSameCaller(now: Identity, before: Identity): boolean {
  return (
    now.method === before.method && now.subject === before.subject && now.consumer?.id === before.consumer?.id
  )
}
