import type { VirtualHost } from '../table/routing-table.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { PathEntry } from './rules.ts'

/** Ostiary's own paths on a host with a login plugin. */
export const RESERVED_PATHS: readonly string[] = [
  'start',
  'callback',
  'sign_out',
  'userinfo',
  'auth',
  'backchannel_logout',
].map((name) => `/oauth2/${name}`)

/** Tells the Ingresses that wrote an /oauth2 path of their own where Ostiary answers it. */
export function reportShadowedPaths(
  host: Pick<VirtualHost, 'loginPolicies' | 'reservedClosed'>,
  entries: readonly PathEntry[],
  diagnostics: Diagnostics,
): void {
  if (host.loginPolicies.length === 0 && !host.reservedClosed) return
  for (const { ingress, place, pathType, path } of entries) {
    const shadowed = RESERVED_PATHS.filter((reserved) => covers(pathType, path, reserved))
    if (path === '/' || shadowed.length === 0) continue
    diagnostics.report(ingress, {
      severity: 'warning',
      reason: 'ReservedPathShadowed',
      path: `${place}.path`,
      message: `is ${path}, but on a host with a login plugin Ostiary itself answers ${shadowed.join(', ')}`,
      remedy: 'Move the path, or the login plugin to another host.',
    })
  }
}

function covers(pathType: PathEntry['pathType'], path: string, reserved: string): boolean {
  return path === reserved || (pathType === 'Prefix' && reserved.startsWith(`${path}/`))
}
