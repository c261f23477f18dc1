import { isReservedPath } from '../proxy/reserved-paths.ts'
import type { Rehearsal } from '../proxy/rehearsal.ts'
import type { LiveTable } from '../table/live-table.ts'
import type { Policy } from '../table/policy.ts'
import type { RouteTraffic } from '../table/route-traffic.ts'
import type { Route, RouteAction } from '../table/routing-table.ts'
import type { ForwardingSettings } from '../table/upstream-settings.ts'

/** What is known of a step that the request has passed. */
export interface PassedStep {
  readonly found: string
  readonly details?: readonly string[]
}

type Describe = (found: Rehearsal['found'], table: LiveTable) => PassedStep | undefined

/** What people call the steps of the pipeline, and what there is to tell where one let the request on. */
export const STEPS: Readonly<Record<string, { readonly name: string; readonly passed?: Describe }>> = {
  checkLimits: { name: 'limits' },
  checkStarted: { name: 'configuration' },
  checkFraming: { name: 'framing' },
  checkAuthority: { name: 'host' },
  checkTarget: {
    name: 'path',
    passed: ({ target }) => target && { found: `${target.path}, as it is matched` },
  },
  matchHost: { name: 'host', passed: describeHost },
  checkServerName: { name: 'server name', passed: describeAuthorities },
  redirectLogin: { name: 'https' },
  answerReservedPath: { name: 'reserved path', passed: describeReserved },
  answerRoutedCallback: { name: 'callback' },
  matchRoute: { name: 'route', passed: ({ route }) => route && describeRoute(route) },
  applyRules: { name: 'rules' },
  addHsts: { name: 'hsts', passed: describeHsts },
  redirectRoute: { name: 'https', passed: describeSslRedirect },
  checkOpen: { name: 'guard', passed: describeGuard },
  refuseTrace: { name: 'method' },
  admit: { name: 'admission', passed: describeAdmission },
  checkClientCertificate: { name: 'client certificate', passed: describeDemand },
  authorize: { name: 'authorization' },
  limitCaller: { name: 'limits per caller' },
  prepare: { name: 'rewrite', passed: describeRewrite },
  forward: { name: 'upstream', passed: describeUpstream },
}

function describeHost({ virtualHost }: Rehearsal['found']): PassedStep | undefined {
  if (virtualHost === undefined) return undefined
  const { host, routes, loginPolicies } = virtualHost
  const name = host === '' ? 'no Ingress names it: what serves all other hosts' : `virtual host ${host}`
  const details = loginPolicies.length === 0 ? [] : [`logins by ${loginPolicies.join(', ')}`]
  return { found: `${name}, with ${routes.length} route${routes.length === 1 ? '' : 's'}`, details }
}

function describeAuthorities({ virtualHost }: Rehearsal['found']): PassedStep | undefined {
  if (virtualHost?.clientAuthorities === undefined) return undefined
  return { found: 'handshakes for this host ask for a client certificate; none is shown here' }
}

function describeReserved({ target }: Rehearsal['found']): PassedStep | undefined {
  if (target === undefined || !isReservedPath(target.path)) return undefined
  return { found: 'no login plugin is on this host, so that the path is like any other' }
}

function describeRoute({ id, ingress, pathType, path, service }: Route): PassedStep {
  const to = service === '' ? '' : ` to Service ${service}`
  const rule = id.endsWith('#default') ? 'default backend' : `${pathType} ${path}`
  return { found: `Ingress ${ingress.namespace}/${ingress.name}: ${rule}${to}`, details: [`route ${id}`] }
}

function describeHsts({ route, view }: Rehearsal['found']): PassedStep | undefined {
  if (route?.hsts === undefined || view?.scheme !== 'https') return undefined
  return { found: `adds Strict-Transport-Security: ${route.hsts}` }
}

function describeSslRedirect({ route }: Rehearsal['found']): PassedStep | undefined {
  return route?.sslRedirect === undefined ? undefined : { found: 'https already, which the route asks for' }
}

function describeGuard({ route }: Rehearsal['found'], { judging }: LiveTable): PassedStep | undefined {
  const action = forwardOf(route)
  if (route === undefined || action === undefined) return undefined
  const { accessControl: groups } = route
  if (action.policies.length === 0) return { found: 'no plugin guards this route: it is open' }
  const details = [
    ...action.policies.flatMap((id) => judging.policies[id] ?? []).map(describePolicy),
    ...(groups?.allowGroups ? [`groups that are let in: ${groups.allowGroups.join(', ')}`] : []),
    ...(groups?.denyGroups ? [`groups that are kept out: ${groups.denyGroups.join(', ')}`] : []),
  ]
  return { found: `guarded by ${action.policies.join(', ')}`, details }
}

function describePolicy({ id, methods, server, verification: { audiences } }: Policy): string {
  const audience = audiences.length === 0 ? 'any audience' : `audience ${audiences.join(' or ')}`
  return `${id}: ${methods.join(', ')}; issuer ${server.issuer}; ${audience}`
}

function describeAdmission({ route, view }: Rehearsal['found']): PassedStep | undefined {
  const details = admissionDetails(route?.traffic)
  if (details.length === 0) return undefined
  return { found: `a client at ${view?.clientAddress} may ask`, details }
}

function admissionDetails({ sourceRange, cors, rateLimits, maximumBodyBytes }: RouteTraffic = {}): string[] {
  const limits = (rateLimits ?? []).map(
    ({ requests, windowSeconds, per }) => `at most ${requests} requests in ${windowSeconds} s per ${per}`,
  )
  return [
    ...(sourceRange?.allow ? [`networks that are let in: ${sourceRange.allow.join(', ')}`] : []),
    ...(sourceRange?.deny ? [`networks that are kept out: ${sourceRange.deny.join(', ')}`] : []),
    ...(cors ? [`scripts of ${cors.allowOrigins.join(', ')} may read the answer`] : []),
    ...(maximumBodyBytes === undefined ? [] : [`bodies of up to ${maximumBodyBytes} bytes`]),
    ...limits,
  ]
}

function describeDemand({ route }: Rehearsal['found']): PassedStep | undefined {
  return route?.clientCertificate === undefined
    ? undefined
    : { found: 'a certificate is taken where one is shown, and none is needed' }
}

function describeRewrite({ upstreamPath, route }: Rehearsal['found']): PassedStep | undefined {
  const host = route?.traffic?.upstreamHost
  const details = host === undefined ? [] : [`Host: ${host}`]
  if (upstreamPath !== undefined) return { found: `the upstream sees ${upstreamPath}`, details }
  return host === undefined ? undefined : { found: 'the upstream sees another host', details }
}

function describeUpstream(
  { upstream: id, route }: Rehearsal['found'],
  table: LiveTable,
): PassedStep | undefined {
  const action = forwardOf(route)
  if (id === undefined || action === undefined) return undefined
  const upstream = table.upstreams.get(id)
  const count = upstream?.endpoints.length ?? 0
  const { canary } = action
  const leg = canary?.upstream === id ? canary : action
  return {
    found: `sent to ${id}, ${count} ready endpoint${count === 1 ? '' : 's'}, over ${upstream?.settings?.protocol ?? 'HTTP'}`,
    details: [
      ...(canary === undefined
        ? []
        : [`${canary.weight} % of the requests go to the canary ${canary.upstream}`]),
      ...forwardingDetails(leg.forwarding),
    ],
  }
}

function forwardingDetails(settings: ForwardingSettings = {}): string[] {
  const { readTimeoutMs, requestTimeoutMs, retries, affinityCookie } = settings
  return [
    ...(requestTimeoutMs === undefined ? [] : [`answered within ${requestTimeoutMs} ms, or 504`]),
    ...(readTimeoutMs === undefined ? [] : [`silent for no longer than ${readTimeoutMs} ms, or 504`]),
    ...(retries === undefined
      ? []
      : [`sent again up to ${retries.attempts} times, on ${retries.on.join(', ')}`]),
    ...(affinityCookie === undefined ? [] : ['a cookie keeps a client at its endpoint']),
  ]
}

function forwardOf(route: Route | undefined): Extract<RouteAction, { kind: 'forward' }> | undefined {
  return route?.action.kind === 'forward' ? route.action : undefined
}
