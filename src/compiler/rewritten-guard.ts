import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import { hostRoutes } from '../table/host-routes.ts'
import type { Route, UpstreamId, VirtualHost } from '../table/routing-table.ts'
import type { Diagnostics } from './diagnostics.ts'
import { sortedUnique } from './order.ts'

interface Forwarding {
  readonly route: Route
  readonly action: Extract<Route['action'], { kind: 'forward' }>
  /** Whose client certificates are needed; absent: nobody's. */
  readonly authorities?: string
}

/** Beyond so many guarded routes of one upstream only the first are looked at: it is a warning. */
const MAXIMUM_GUARDED = 1000

/**
 * Warns where a rewrite leads to paths of an upstream that another route guards otherwise: `/app/admin` without its
 * `/app` is `/admin`, whose own guard is asked for requests to `/admin` alone.
 */
export function reportRewrittenGuards(virtualHosts: readonly VirtualHost[], diagnostics: Diagnostics): void {
  // Most tables have no rewrite, and this is asked at each compile.
  if (!virtualHosts.some(hasRewrite)) return
  const routes = [...forwardingRoutes(virtualHosts)]
  const guarded = guardedRoutes(routes)
  for (const each of routes) {
    if (!isRewriting(each.route)) continue
    const other = guarded.get(each.action.upstream)?.find((one) => isReachedPast(one, each))
    if (other !== undefined) report(each, other.route, diagnostics)
  }
}

function hasRewrite({ routes, defaultRoute }: VirtualHost): boolean {
  return routes.some(isRewriting) || (defaultRoute !== undefined && isRewriting(defaultRoute))
}

function isRewriting({ traffic }: Route): boolean {
  return traffic?.rewrite !== undefined
}

function* forwardingRoutes(virtualHosts: readonly VirtualHost[]): Generator<Forwarding, void, undefined> {
  for (const host of virtualHosts) {
    const { clientAuthorities } = host
    for (const route of hostRoutes(host)) {
      const { action, clientCertificate } = route
      if (action.kind !== 'forward') continue
      const isAsked = clientCertificate === 'required' && clientAuthorities !== undefined
      yield { route, action, ...(isAsked && { authorities: clientAuthorities.id }) }
    }
  }
}

function guardedRoutes(routes: readonly Forwarding[]): Map<UpstreamId, Forwarding[]> {
  const guarded = new Map<UpstreamId, Forwarding[]>()
  for (const each of routes) {
    if (!isGuarded(each)) continue
    const { upstream } = each.action
    const known = guarded.get(upstream) ?? []
    if (known.length < MAXIMUM_GUARDED) known.push(each)
    guarded.set(upstream, known)
  }
  return guarded
}

function isGuarded({ action, authorities, route }: Forwarding): boolean {
  return action.policies.length > 0 || authorities !== undefined || route.traffic?.sourceRange !== undefined
}

function isReachedPast(guarded: Forwarding, rewriting: Forwarding): boolean {
  // All of what is guarded: a rewrite to a part of it says which part is meant.
  return (
    `${upstreamPrefix(guarded.route)}/`.startsWith(upstreamPrefix(rewriting.route)) &&
    !isAsStrict(rewriting, guarded)
  )
}

/** Whoever passes the one would pass the other. */
function isAsStrict(one: Forwarding, other: Forwarding): boolean {
  if (other.authorities !== undefined && other.authorities !== one.authorities) return false
  return isAdmittedAsStrictly(one.route, other.route) && isJudgedAsStrictly(one, other)
}

/** By the words of the ranges, as one Ingress is written after another. */
function isAdmittedAsStrictly({ traffic }: Route, { traffic: otherTraffic }: Route): boolean {
  const { allow, deny = [] } = traffic?.sourceRange ?? {}
  const { allow: otherAllow, deny: otherDeny = [] } = otherTraffic?.sourceRange ?? {}
  const isAllowed = otherAllow === undefined || allow?.every((range) => otherAllow.includes(range)) === true
  return isAllowed && otherDeny.every((range) => deny.includes(range))
}

function isJudgedAsStrictly(one: Forwarding, other: Forwarding): boolean {
  if (other.action.policies.length === 0) return true
  const { policies } = one.action
  if (policies.length === 0 || policies.some((id) => !other.action.policies.includes(id))) return false
  return other.route.accessControl === undefined || groupsText(one.route) === groupsText(other.route)
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

function report({ route }: Forwarding, guarded: Route, diagnostics: Diagnostics): void {
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
        'Put the plugins on the Service, where they hold for all routes to it; ask for the same addresses and client certificates here; or rewrite to paths that need no guard.',
    },
  )
}
