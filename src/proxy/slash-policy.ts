import { findRoute, type IndexedHost } from '../table/route-index.ts'
import type { Route } from '../table/routing-table.ts'
import type { RequestTarget } from './request-target.ts'

/**
 * Why a matched request is answered 400 for its slashes; `undefined`: it may pass. `%2F` and `//` need the route's
 * opt-in, and even then must not hide another route: an upstream that decodes or merges slashes would serve what that
 * route guards (`//admin` matches `/`, and `/admin` is what such an upstream sees).
 */
export function refusalOfSlashes(target: RequestTarget, host: IndexedHost, route: Route): string | undefined {
  const { path, encodedSlash, doubleSlash } = target
  if (!encodedSlash && !doubleSlash) return undefined
  if (encodedSlash && !route.allowEncodedSlash) return 'The path holds an encoded slash (%2F).'
  if (doubleSlash && !route.allowDoubleSlash) return 'The path holds an empty segment (//).'
  const hidesAnother = otherReadings(path, route).some((reading) => {
    const other = findRoute(host, reading)
    return other !== undefined && other !== route
  })
  return hidesAnother ? 'The path leads elsewhere for servers that decode or merge slashes.' : undefined
}

/** Slashes that the route's own path spells are meant; those after it are the client's. */
function otherReadings(path: string, route: Route): string[] {
  const own = route.path !== '/' && path.startsWith(route.path) ? route.path : ''
  const rest = path.slice(own.length)
  const decoded = rest.replaceAll('%2F', '/')
  return [own + decoded, own + mergeSlashes(rest), own + mergeSlashes(decoded)]
}

function mergeSlashes(path: string): string {
  return path.replaceAll(/\/{2,}/g, '/')
}
