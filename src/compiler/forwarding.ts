import type { ForwardingAnnotations } from '../api/upstream-annotations.ts'
import type { UpstreamId } from '../table/routing-table.ts'
import type { ForwardingSettings } from '../table/upstream-settings.ts'
import { digest } from './digest.ts'

/**
 * What Ingress and Service together say of the requests between them: name by name the Ingress wins, as it is the nearer
 * to the request.
 *
 * @returns `undefined` where nothing differs from the defaults.
 */
export function compileForwarding(
  ingress: ForwardingAnnotations | undefined,
  service: ForwardingAnnotations | undefined,
  upstream: UpstreamId,
): ForwardingSettings | undefined {
  if (ingress === undefined && service === undefined) return undefined
  const { loadBalancing, sessionAffinity, forwardedHeader, ...times } = { ...service, ...ingress }
  const settings: ForwardingSettings = {
    ...times,
    ...(loadBalancing === 'least-requests' && { loadBalancing }),
    ...(sessionAffinity === 'cookie' && { affinityCookie: affinityCookieName(upstream) }),
    ...(forwardedHeader === true && { forwardedHeader: true as const }),
  }
  return Object.keys(settings).length === 0 ? undefined : settings
}

/** One for each upstream, as several may share a host; see `isOwnCookie` for its end. */
function affinityCookieName(upstream: UpstreamId): string {
  return `ostiary_${digest(upstream).slice(0, 8)}_os_a`
}
