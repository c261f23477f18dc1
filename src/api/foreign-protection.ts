import type { TlsAnnotations } from './tls-annotations.ts'
import type { TrafficAnnotations } from './traffic-annotations.ts'

/** What of ours may stand in for an annotation of another controller; a plugin always does. */
export interface OwnProtection {
  readonly traffic: TrafficAnnotations | undefined
  readonly tls: TlsAnnotations
}

/** Controllers whose names for guards are alike. */
const CONTROLLERS =
  '(nginx\\.ingress\\.kubernetes\\.io|haproxy-ingress\\.github\\.io|ingress\\.kubernetes\\.io|haproxy\\.org|alb\\.ingress\\.kubernetes\\.io|k8s\\.apisix\\.apache\\.org)'

const CLIENT_CERTIFICATES = new RegExp(`^${CONTROLLERS}/auth-tls-[a-z-]+$`)
const ADDRESSES = new RegExp(
  `^${CONTROLLERS}/((white|allow|black|block|deny)list(-source-range)?|(allow|deny)-list|inbound-cidrs)$`,
)
const OTHERS = new RegExp(`^${CONTROLLERS}/(auth-[a-z-]+|oauth)$`)
/** Plugins, middlewares and policies may be anything, a guard among them. */
const NAMED =
  /^(konghq\.com\/plugins|traefik\.ingress\.kubernetes\.io\/router\.middlewares|nginx\.org\/(basic-auth-secret|policies)|nginx\.com\/jwt-key)$/

/**
 * The annotations of other controllers that meant protection and for which nothing of ours stands in, sorted. They do
 * nothing here: whoever moved an Ingress over would have opened it.
 */
export function foreignProtection(
  annotations: Readonly<Record<string, string>>,
  { traffic, tls }: OwnProtection,
): readonly string[] {
  return Object.entries(annotations)
    .filter(([name, value]) => isProtection(name, value))
    .map(([name]) => name)
    .sort()

  function isProtection(name: string, value: string): boolean {
    if (ADDRESSES.test(name)) return traffic?.sourceRange === undefined && !admitsEverybody(name, value)
    if (CLIENT_CERTIFICATES.test(name)) return tls.clientCertificate === undefined
    return OTHERS.test(name) || NAMED.test(name)
  }
}

/** As cert-manager writes it on its solvers, so that a default of ingress-nginx does not keep anybody out. */
function admitsEverybody(name: string, value: string): boolean {
  return /\/(white|allow)/.test(name) && value.split(',').some((range) => range.trim() === '0.0.0.0/0')
}
