import { isIP } from 'node:net'

/** One item of an Ingress's `status.loadBalancer.ingress`. */
export type IngressAddress = { readonly ip: string } | { readonly hostname: string }

/** Reads addresses as people give them: IP addresses and names. */
export function toAddresses(texts: readonly string[]): IngressAddress[] {
  return [...new Set(texts)].sort().map((text) => (isIP(text) === 0 ? { hostname: text } : { ip: text }))
}

/**
 * The addresses by which a Service is reached: those of its load balancer and its external IPs; without any, the name
 * of an ExternalName, and the cluster IP where no load balancer is awaited. Total.
 */
export function addressesOfService(raw: unknown): IngressAddress[] {
  const { spec, status } = raw as {
    readonly spec?: { type?: unknown; clusterIP?: unknown; externalIPs?: unknown; externalName?: unknown }
    readonly status?: unknown
  }
  if (spec?.type === 'ExternalName') return toAddresses(textsOf([spec.externalName]))
  const found = [...(spec?.type === 'LoadBalancer' ? addressesIn(status) : []), ...textsOf(spec?.externalIPs)]
  if (found.length > 0 || spec?.type === 'LoadBalancer') return toAddresses(found)
  return toAddresses(textsOf([spec?.clusterIP]).filter((text) => text !== 'None'))
}

/** The addresses in a status with a `loadBalancer`, of an Ingress or a Service. Total. */
export function addressesIn(status: unknown): string[] {
  const { loadBalancer } = (status ?? {}) as { loadBalancer?: { ingress?: unknown } | null }
  const items: unknown[] = Array.isArray(loadBalancer?.ingress) ? loadBalancer.ingress : []
  return items.flatMap((item) => {
    const { ip, hostname } = (item ?? {}) as { ip?: unknown; hostname?: unknown }
    return textsOf([ip, hostname])
  })
}

/** Whether a status names exactly these addresses, in any order. */
export function hasAddresses(status: unknown, addresses: readonly IngressAddress[]): boolean {
  const wanted = addresses.map((each) => ('ip' in each ? each.ip : each.hostname))
  return JSON.stringify([...new Set(addressesIn(status))].sort()) === JSON.stringify(wanted.sort())
}

function textsOf(values: unknown): string[] {
  const list: unknown[] = Array.isArray(values) ? values : []
  return list.filter((value): value is string => typeof value === 'string' && value !== '')
}
