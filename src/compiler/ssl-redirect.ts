import type { TlsAnnotations } from '../api/tls-annotations.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Route } from '../table/routing-table.ts'
import { isChallengePath } from './acme-solver.ts'

/**
 * Whether plain HTTP to a route is sent to HTTPS: as `ssl-redirect` says, else where a TLS section of the Ingress is
 * for the host, with or without a Secret. Never a challenge that is open, since certificate authorities ask for it by
 * plain HTTP before there is a certificate; one behind a plugin is as any other path.
 *
 * @param host As the rule has it; empty where it has none.
 */
export function redirectsToHttps(
  ingress: Ingress,
  host: string,
  { sslRedirect }: TlsAnnotations,
  { path, action }: Pick<Route, 'path' | 'action'>,
): boolean {
  if (isChallengePath(path) && action.kind === 'forward' && action.policies.length === 0) return false
  return sslRedirect ?? ingress.spec.tls.some(({ hosts }) => coversHost(hosts, host))
}

/** Whether a TLS section is for a host. Without hosts it is for those of the rules, be they named or not. */
export function coversHost(hosts: readonly string[], host: string): boolean {
  if (hosts.length === 0) return true
  const wildcard = `*${host.slice(Math.max(host.indexOf('.'), 0))}`
  return hosts.some((each) => each !== '' && (each === host || (host !== '' && each === wildcard)))
}
