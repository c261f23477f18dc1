import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import type { Route, UpstreamId, VirtualHost } from '../table/routing-table.ts'
import type { Diagnostics } from './diagnostics.ts'
import { sortedUnique } from './order.ts'

type Forwarding = Route & { readonly action: Extract<Route['action'], { kind: 'forward' }> }

/** Beyond so many guarded routes of one upstream only the first are looked at: it is a warning. */
const MAXIMUM_GUARDED = 1000

/**
 * Warns where a rewrite leads to paths of an upstream that another route guards otherwise: `/app/admin` without its
 * `/app` is `/admin`, whose own guard is asked for requests to `/admin` alone.
 */
export function reportRewrittenGuards(virtualHosts: readonly VirtualHost[], diagnostics: Diagnostics): void {
  const rewriting: Forwarding[] = []
  for (const route of routesOf(virtualHosts)) {
    if (isForwarding(route) && route.traffic?.rewrite !== undefined) rewriting.push(route)
  }
  if (rewriting.length === 0) return
  const guarded = guardedRoutes(virtualHosts)
  for (const route of rewriting) {
    const other = guarded.get(route.action.upstream)?.find((each) => isReachedPast(each, route))
    if (other !== undefined) report(route, other, diagnostics)
  }
}

function* routesOf(virtualHosts: readonly VirtualHost[]): Generator<Route, void, undefined> {
  for (const { routes, defaultRoute } of virtualHosts) {
    yield* routes
    if (defaultRoute !== undefined) yield defaultRoute
  }
}

function isForwarding(route: Route): route is Forwarding {
  return route.action.kind === 'forward'
}

function guardedRoutes(virtualHosts: readonly VirtualHost[]): Map<UpstreamId, Forwarding[]> {
  const guarded = new Map<UpstreamId, Forwarding[]>()
  for (const route of routesOf(virtualHosts)) {
    if (!isForwarding(route) || route.action.policies.length === 0) continue
    const { upstream } = route.action
    const known = guarded.get(upstream) ?? []
    if (known.length < MAXIMUM_GUARDED) known.push(route)
    guarded.set(upstream, known)
  }
  return guarded
}

function isReachedPast(guarded: Forwarding, rewriting: Forwarding): boolean {
  // All of what is guarded: a rewrite to a part of it says which part is meant.
  return (
    `${upstreamPrefix(guarded)}/`.startsWith(upstreamPrefix(rewriting)) && !isAsStrict(rewriting, guarded)
  )
}

/** Whoever passes the one would pass the other. */
function isAsStrict(one: Forwarding, other: Forwarding): boolean {
  const { policies } = one.action
  if (policies.length === 0 || policies.some((id) => !other.action.policies.includes(id))) return false
  return other.accessControl === undefined || groupsText(one) === groupsText(other)
}

function groupsText({ accessControl }: Route): string {
  const { allowGroups = [], denyGroups = [] } = accessControl ?? {}
  return JSON.stringify([sortedUnique(allowGroups), sortedUnique(denyGroups)])
}

/** What the paths begin with that a route sends to its upstream. */
function upstreamPrefix({ path, traffic }: Route): string {
  const first = traffic?.rewrite?.template[0]
  if (traffic?.rewrite === undefined) return path
  return typeof first === 'string' ? first : '/'
}

function report(route: Forwarding, guarded: Forwarding, diagnostics: Diagnostics): void {
  const { namespace, name } = route.ingress
  const annotation = route.traffic?.rewrite?.forwardedPrefix === undefined ? 'rewrite-target' : 'strip-path'
  diagnostics.reportReference(
    { kind: 'Ingress', namespace, name },
    {
      severity: 'warning',
      reason: 'RewritePassesGuard',
      path: `metadata.annotations[${ANNOTATION_PREFIX}${annotation}]`,
      message: `makes ${route.path} reach ${upstreamPrefix(guarded)} of Service ${namespace}/${route.service}, which ${guarded.id} guards otherwise`,
      remedy:
        'Put the plugins on the Service, where they hold for all routes to it, or rewrite to paths that need no guard.',
    },
  )
}
