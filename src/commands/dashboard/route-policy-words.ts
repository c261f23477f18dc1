import type { RouteDetails } from '../../admin/dashboard/dashboard-model.ts'
import type { HeaderEdits, RouteTraffic } from '../../table/route-traffic.ts'
import type { Route, Upstream } from '../../table/routing-table.ts'
import type { ForwardingSettings, UpstreamSettings } from '../../table/upstream-settings.ts'

type Word = RouteDetails['policy'][number]
type Value = string | number | boolean | readonly string[] | undefined

/**
 * What is done with requests and responses of a route beside letting them pass, for people. Of headers that are added
 * the names alone: their values may be keys of the upstream's.
 */
export function routePolicyWords(route: Route, upstream: Upstream | undefined): readonly Word[] {
  const { accessControl, action } = route
  return [
    ...words([
      ['allowed groups', accessControl?.allowGroups],
      ['denied groups', accessControl?.denyGroups],
      ['redirect to HTTPS', route.sslRedirect],
      ['Strict-Transport-Security', route.hsts],
      ['client certificate', route.clientCertificate],
      ['encoded slashes', route.allowEncodedSlash],
      ['double slashes', route.allowDoubleSlash],
    ]),
    ...trafficWords(route.traffic),
    ...(action.kind === 'closed' ? [] : forwardingWords(action.forwarding)),
    ...(action.kind === 'closed' || action.canary === undefined
      ? []
      : words([['canary', `${action.canary.weight} % to ${action.canary.upstream}`]])),
    ...upstreamWords(upstream?.settings),
  ]
}

function trafficWords(traffic: RouteTraffic | undefined): readonly Word[] {
  if (traffic === undefined) return []
  const { cors, rateLimits = [], redirect, requestHeaders, responseHeaders, rewrite, sourceRange } = traffic
  return words([
    ['permanent redirect', redirect && `${redirect.status} to ${redirect.location}`],
    ['allowed networks', sourceRange?.allow],
    ['denied networks', sourceRange?.deny],
    ['CORS origins', cors?.allowOrigins],
    ...rateLimits.map(
      ({ per, requests, windowSeconds }) =>
        ['rate limit', `${requests} in ${windowSeconds} s for each ${per}`] as const,
    ),
    ['longest body', traffic.maximumBodyBytes && `${traffic.maximumBodyBytes} bytes`],
    ['path for the upstream', rewrite && rewriteText(rewrite.template)],
    ['Host for the upstream', traffic.upstreamHost],
    ['request headers', requestHeaders && editText(requestHeaders)],
    ['response headers', responseHeaders && editText(responseHeaders)],
  ])
}

function forwardingWords(forwarding: ForwardingSettings | undefined): readonly Word[] {
  if (forwarding === undefined) return []
  const { retries } = forwarding
  return words([
    ['read time-out', milliseconds(forwarding.readTimeoutMs)],
    ['send time-out', milliseconds(forwarding.sendTimeoutMs)],
    ['request time-out', milliseconds(forwarding.requestTimeoutMs)],
    ['retries', retries && `${retries.attempts} on ${retries.on.join(', ')}`],
    ['load balancing', forwarding.loadBalancing],
    ['affinity cookie', forwarding.affinityCookie],
    ['Forwarded header', forwarding.forwardedHeader],
  ])
}

function upstreamWords(settings: UpstreamSettings | undefined): readonly Word[] {
  if (settings === undefined) return []
  return words([
    ['upstream protocol', settings.protocol],
    ['upstream server name', settings.tls?.serverName],
    ['upstream certificate is not verified', settings.tls?.insecureSkipVerify],
    ['connect time-out', milliseconds(settings.connectTimeoutMs)],
    ['connections to each endpoint and thread', settings.maxConnections],
    ['waiting requests of each thread', settings.maxPendingRequests],
  ])
}

function words(all: readonly (readonly [name: string, value: Value])[]): readonly Word[] {
  return all.flatMap(([name, value]) => {
    if (value === undefined || value === false || value === '') return []
    const text = value === true ? 'yes' : typeof value === 'object' ? value.join(', ') : String(value)
    return [{ name, value: text }]
  })
}

function milliseconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value} ms`
}

function rewriteText(template: readonly (string | number)[]): string {
  return template.map((part) => (typeof part === 'number' ? `$${part}` : part)).join('')
}

function editText({ add, remove, set }: HeaderEdits): string {
  const names = (list: readonly (readonly [name: string, value: string])[]): string[] =>
    list.map(([name]) => name)
  return words([
    ['removed', remove],
    ['set', names(set)],
    ['added', names(add)],
  ])
    .filter(({ value }) => value !== '')
    .map(({ name, value }) => `${name}: ${value}`)
    .join('; ')
}
