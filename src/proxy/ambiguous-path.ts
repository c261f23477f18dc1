import { normalPath } from '../table/normal-path.ts'
import { findRoute, type IndexedHost } from '../table/route-index.ts'
import type { Route } from '../table/routing-table.ts'
import type { RequestTarget } from './request-target.ts'

/**
 * Why a matched request is answered 400 because its upstream could read the path as another one; `undefined`: it may
 * pass. `%2F` and `//` need the route's opt-in, and even then must not hide another route: an upstream that decodes or
 * merges slashes would serve what that route guards (`//admin` matches `/`, and `/admin` is what such an upstream
 * sees). Path parameters (`/admin;x`, which Java servers cut off) and escapes inside escapes (`/%2561dmin`) are common
 * enough to pass without an opt-in, but not into what another guard, or none at all, is meant to stand before.
 */
export function refusalOfAmbiguity(
  target: RequestTarget,
  host: IndexedHost,
  route: Route,
): string | undefined {
  const { path, encodedSlash, doubleSlash } = target
  const hasSlashes = encodedSlash || doubleSlash
  if (!hasSlashes && !path.includes(';') && !path.includes('%25')) return undefined
  if (encodedSlash && !route.allowEncodedSlash) return 'The path holds an encoded slash (%2F).'
  if (doubleSlash && !route.allowDoubleSlash) return 'The path holds an empty segment (//).'
  const hidesAnother = otherReadings(path, route).some((reading) => {
    const other = findRoute(host, reading)
    return other !== undefined && other !== route && (hasSlashes || isGuardedOtherwise(other, route))
  })
  return hidesAnother
    ? 'The path leads elsewhere for servers that cut parameters off, decode twice, or decode or merge slashes.'
    : undefined
}

/** What servers are known to do with a path before they look at it, in the order that they do it. */
const HABITS: readonly ((path: string) => string)[] = [
  decodeAgain,
  decodeSlashes,
  cutParameters,
  mergeSlashes,
]

/** Every mixture of habits; what the route's own path spells is meant, what comes after it is the client's. */
function otherReadings(path: string, route: Route): string[] {
  const own = route.path !== '/' && path.startsWith(route.path) ? route.path : ''
  let rests = new Set([path.slice(own.length)])
  for (const habit of HABITS) rests = new Set([...rests, ...[...rests].map(habit)])
  return [...rests].map((rest) => own + rest)
}

function decodeAgain(path: string): string {
  return normalPath(path.replaceAll(/%25(?=[0-9A-F]{2})/gi, '%'))
}

function decodeSlashes(path: string): string {
  return path.replaceAll('%2F', '/')
}

function cutParameters(path: string): string {
  return path.replaceAll(/;[^/]*/g, '')
}

function mergeSlashes(path: string): string {
  return path.replaceAll(/\/{2,}/g, '/')
}

/** Whether the other route asks for something that this one does not. */
function isGuardedOtherwise(other: Route, route: Route): boolean {
  if (route.action.kind === 'closed') return false
  if (other.action.kind === 'closed') return true
  return isGuarded(other) && guardOf(other) !== guardOf(route)
}

function isGuarded({ action, clientCertificate, traffic }: Route): boolean {
  const hasPolicies = action.kind === 'forward' && action.policies.length > 0
  return hasPolicies || clientCertificate !== undefined || traffic?.sourceRange !== undefined
}

function guardOf({ action, accessControl, clientCertificate, traffic }: Route): string {
  const guard = action.kind === 'forward' ? action.policies : action.reason
  return JSON.stringify([guard, accessControl, clientCertificate, traffic?.sourceRange])
}
