import { namedPolicies } from '../../auth/named-policies.ts'
import { hostRoutes } from '../../table/host-routes.ts'
import type { PolicyId } from '../../table/policy.ts'
import type { Route, VirtualHost } from '../../table/routing-table.ts'
import { hasAcceptedCertificate } from '../client-certificates/check-client-certificate.ts'
import type { Exchange } from '../exchange.ts'
import { respondProblem } from '../respond.ts'
import { limitAnybody } from './rate-limits.ts'
import { rulesOf } from './route-rules.ts'

type GuardedRoutes = ReadonlyMap<PolicyId, readonly Route[]>

const GUARDED_ROUTES = new WeakMap<VirtualHost, GuardedRoutes>()

/**
 * Lets a request ask `/oauth2/auth` about its credential only where a route would have taken it: for each plugin that is
 * asked, by its address, its certificate and its number. Otherwise whoever may not guess at a route would guess here.
 * Answers where it does not.
 */
export function admitCheck(exchange: Exchange): boolean | Promise<boolean> {
  const { facts, host, snapshot } = exchange
  const guarded = guardedRoutes(host.virtualHost)
  const chosen = new Set<Route>()
  for (const { id } of namedPolicies(snapshot, host.virtualHost, new URLSearchParams(facts.query))) {
    const routes = guarded.get(id)
    // All of its routes are closed: there is no way past them.
    if (routes === undefined) continue
    const near = routes.filter((route) => admitsSource(exchange, route))
    if (near.length === 0) return refuse(exchange, 'source_address')
    const admitting = near.filter((route) => hasAcceptedCertificate(exchange, route))
    // The widest way to the plugin is the one that counts: guesses could take it as well.
    const route = admitting.find((each) => !isLimited(each)) ?? admitting[0]
    if (route === undefined) return refuse(exchange, 'client_certificate')
    if (isLimited(route)) chosen.add(route)
  }
  return chosen.size === 0 || countAtEach(exchange, chosen)
}

function admitsSource({ view }: Exchange, route: Route): boolean {
  return rulesOf(route)?.source?.admits(view.clientAddress) !== false
}

function isLimited({ traffic }: Route): boolean {
  return traffic?.rateLimits?.some(({ per }) => per === 'route' || per === 'address') === true
}

async function countAtEach(exchange: Exchange, routes: Iterable<Route>): Promise<boolean> {
  for (const route of routes) {
    if (!(await limitAnybody(exchange, route, route.traffic?.rateLimits))) return false
  }
  return true
}

const MESSAGES = {
  source_address: 'Requests from this address are not allowed here.',
  client_certificate: 'A client certificate is needed, over HTTPS.',
}

function refuse(exchange: Exchange, reason: keyof typeof MESSAGES): false {
  respondProblem(exchange, 403, { message: MESSAGES[reason], reason })
  return false
}

/** By plugin, one route of each Ingress: its annotations are those of all its routes. */
function guardedRoutes(host: VirtualHost): GuardedRoutes {
  let guarded = GUARDED_ROUTES.get(host)
  if (guarded === undefined) GUARDED_ROUTES.set(host, (guarded = findGuardedRoutes(host)))
  return guarded
}

function findGuardedRoutes(host: VirtualHost): GuardedRoutes {
  const byPolicy = new Map<PolicyId, Map<string, Route>>()
  for (const route of hostRoutes(host)) {
    if (route.action.kind !== 'forward') continue
    const ingress = `${route.ingress.namespace}/${route.ingress.name}`
    for (const id of route.action.policies) {
      const known = byPolicy.get(id) ?? new Map<string, Route>()
      if (!known.has(ingress)) known.set(ingress, route)
      byPolicy.set(id, known)
    }
  }
  return new Map([...byPolicy].map(([id, known]) => [id, [...known.values()]]))
}
