import { nearestName } from '../api/nearest-name.ts'
import { objectKey } from '../api/object.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Resources } from '../api/resources.ts'
import type { CompileResult } from '../compiler/options.ts'
import type { Route, VirtualHost } from '../table/routing-table.ts'
import type { NearMiss } from './explanation.ts'
import { namesHost } from './names-host.ts'

/** More help nobody, and a host may have ten thousand routes. */
const MAXIMUM = 8
const LEGACY_CLASS = 'kubernetes.io/ingress.class'

/** Hosts of the table that come near one that it does not have. */
export function nearHosts(host: string, { table }: Pick<CompileResult, 'table'>): NearMiss[] {
  const known = table.virtualHosts.map((each) => each.host).filter((each) => each !== '')
  const typo = nearestName(host, known)
  const misses: NearMiss[] = []
  for (const name of typo === undefined ? known : [typo, ...known.filter((each) => each !== typo)]) {
    if (misses.length >= MAXIMUM) break
    const why = whyNotHost(host, name) ?? (name === typo ? 'is spelt nearly so' : undefined)
    if (why !== undefined) misses.push({ kind: 'host', name, why })
  }
  return misses
}

function whyNotHost(host: string, name: string): string | undefined {
  if (name.startsWith('*.')) {
    if (host === name.slice(2)) return 'stands for names one label below, not for the domain itself'
    return host.endsWith(name.slice(1)) ? 'stands for one label, and there are more before it' : undefined
  }
  if (name.endsWith(`.${host}`) || host.endsWith(`.${name}`)) return 'is another name of the same domain'
  const parent = host.slice(host.indexOf('.'))
  return parent.lastIndexOf('.') > 0 && name.endsWith(parent) ? 'is beside it in the same domain' : undefined
}

/** Ingresses that name the host and of which nothing counts, with what they say that makes the difference. */
export function uncountedIngresses(
  host: string,
  resources: Resources,
  { ingresses }: Pick<CompileResult, 'ingresses'>,
): NearMiss[] {
  const counted = new Set(ingresses.map(objectKey))
  return resources.ingresses
    .filter((ingress) => namesHost(ingress, host) && !counted.has(objectKey(ingress.metadata)))
    .slice(0, MAXIMUM)
    .map((ingress) => ({
      kind: 'ingress',
      name: objectKey(ingress.metadata),
      why: `does not count: ${whyUncounted(ingress, resources)}`,
    }))
}

function whyUncounted({ metadata, spec }: Ingress, { ingressClasses, namespaces }: Resources): string {
  if (metadata.deletionTimestamp != null) return 'it is being deleted'
  const namespace = namespaces.find((each) => each.metadata.name === metadata.namespace)
  if (namespace?.metadata.deletionTimestamp != null || namespace?.status.phase === 'Terminating') {
    return `namespace ${metadata.namespace} is being deleted`
  }
  const className = spec.ingressClassName || (metadata.annotations[LEGACY_CLASS] ?? '')
  if (className === '') return 'it has no class; set spec.ingressClassName, or --watch-ingress-without-class'
  const found = ingressClasses.find((each) => each.metadata.name === className)
  return found === undefined
    ? `there is no IngressClass ${className}; see --ingress-class`
    : `its class ${className} is of controller ${found.spec.controller}; see --controller-class`
}

/** Other routes of the host and why they did not take the path, those that come nearest first; where one did, those that match too. */
export function nearRoutes(path: string, host: VirtualHost, taken: Route | undefined): NearMiss[] {
  return host.routes
    .filter((route) => route !== taken && (taken === undefined || isMatch(path, route)))
    .map((route) => ({ route, common: commonLength(route.path.toLowerCase(), path.toLowerCase()) }))
    .toSorted((a, b) => b.common - a.common)
    .slice(0, MAXIMUM)
    .map(({ route }) => ({
      kind: 'route',
      name: `${route.pathType} ${route.path} of ${route.id}`,
      why: whyNotRoute(path, route, taken),
    }))
}

function whyNotRoute(path: string, route: Route, taken: Route | undefined): string {
  const { pathType, path: own } = route
  if (pathType === 'Exact') {
    if (path === `${own}/` || own === `${path}/`)
      return 'is Exact: with and without the last slash are two paths'
    if (path.toLowerCase() === own.toLowerCase()) return 'is written in other upper and lower case letters'
    return path === own ? 'an older Ingress has the same path' : 'is Exact: it matches nothing but itself'
  }
  if (isMatch(path, route)) {
    return taken?.path === own && taken.pathType === pathType
      ? 'an older Ingress has the same path'
      : 'matches too, but the longer path wins, and Exact before Prefix'
  }
  if (path.startsWith(own)) return 'matches whole segments only'
  if (path.toLowerCase().startsWith(own.toLowerCase()))
    return 'is written in other upper and lower case letters'
  return 'is not how the path begins'
}

function isMatch(path: string, { pathType, path: own }: Route): boolean {
  if (path === own || pathType === 'Exact') return path === own
  return own === '/' || path.startsWith(`${own}/`)
}

function commonLength(one: string, other: string): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length += 1
  return length
}
