import { isIP } from 'node:net'
import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import type { Annotations } from '../api/annotations.ts'
import type { Ingress } from '../api/ingress.ts'
import type { TrafficAnnotations } from '../api/traffic-annotations.ts'
import type { PathRewrite, RouteTraffic } from '../table/route-traffic.ts'
import type { Route, Upstream } from '../table/routing-table.ts'
import type { Diagnostics } from './diagnostics.ts'

/** What the traffic of a route is compiled from. */
export interface TrafficParts {
  readonly ingress: Ingress
  readonly annotations: Annotations
  /** Absent where the backend leads nowhere. */
  readonly upstream: Upstream | undefined
}

interface Conflict {
  readonly name: string
  readonly message: string
  readonly remedy: string
}

/**
 * Adds to a route what its Ingress says of requests and responses. What cannot be done on this route closes it. On a
 * route that is closed already only CORS is left, so that scripts can read why.
 */
export function withTraffic(route: Route, parts: TrafficParts, diagnostics: Diagnostics): Route {
  const { ingress, annotations, upstream } = parts
  const { traffic, problems } = annotations
  if (traffic === undefined || problems.length > 0) return route
  const { cors } = traffic
  const corsAlone = cors && { traffic: { cors } }
  if (route.action.kind === 'closed' || upstream === undefined) return { ...route, ...corsAlone }
  const conflict = conflictOf(traffic, route)
  if (conflict === undefined) return { ...route, traffic: compileTraffic(traffic, route, upstream) }
  const { name, message, remedy } = conflict
  diagnostics.report(ingress, {
    severity: 'error',
    reason: 'InvalidAnnotation',
    path: `metadata.annotations[${ANNOTATION_PREFIX}${name}]`,
    message: `${message}; its routes answer 503`,
    remedy,
  })
  const action = {
    kind: 'closed',
    reason: 'InvalidAnnotation',
    message: `${ANNOTATION_PREFIX}${name} ${message}.`,
  } as const
  return { ...route, action, ...corsAlone }
}

function compileTraffic(traffic: TrafficAnnotations, route: Route, upstream: Upstream): RouteTraffic {
  const { rewrite: written, ...rest } = traffic
  const rewrite = compileRewrite(written, route)
  const host = written?.upstreamHost ?? (written?.preserveHost === false ? hostOf(upstream) : undefined)
  return { ...rest, ...(rewrite && { rewrite }), ...(host !== undefined && { upstreamHost: host }) }
}

function compileRewrite(written: TrafficAnnotations['rewrite'], { path }: Route): PathRewrite | undefined {
  // Below `/` there is nothing to take off.
  if (written?.stripPath === true) {
    return path === '/' ? undefined : { template: ['/', 1], forwardedPrefix: path }
  }
  return written?.rewrite
}

/** The Service's name in the cluster, or what an ExternalName Service stands for. */
function hostOf({ id, endpoints: [first] }: Upstream): string {
  const [namespace = '', service = '', port = ''] = id.split('/')
  const isExternal = first !== undefined && isIP(first.address) === 0
  const name = isExternal ? first.address : `${service}.${namespace}.svc`
  return port === '80' || port === '443' ? name : `${name}:${port}`
}

function conflictOf(traffic: TrafficAnnotations, { action, removeHeaders }: Route): Conflict | undefined {
  const byCaller = traffic.rateLimits?.find(({ per }) => per === 'consumer' || per === 'credential')
  if (byCaller !== undefined && action.kind === 'forward' && action.policies.length === 0) {
    return {
      name: 'rate-limit',
      message: `counts per ${byCaller.per}, but no plugin says who is asking`,
      remedy: 'Set ostiary.dev/plugins, or count per address or route.',
    }
  }
  for (const act of ['set', 'add'] as const) {
    const taken = traffic.requestHeaders?.[act].find(([name]) => removeHeaders.includes(name.toLowerCase()))
    if (taken === undefined) continue
    return {
      name: `request-headers-${act}`,
      message: `names ${taken[0]}, which a plugin before this Service maps: upstreams take it for the caller's`,
      remedy: 'Use another header.',
    }
  }
  return undefined
}
