import { isIP, isIPv4 } from 'node:net'

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'
const NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`)

/** Why a host of a rule or a TLS section is not taken; `undefined`: it is a DNS name or a `*.` wildcard. */
export function hostProblem(host: string): string | undefined {
  if (host.length > 253) return 'is longer than 253 characters'
  if (isIP(host) !== 0) return 'is an IP address; a DNS name is needed'
  if (/[A-Z]/.test(host)) return 'has upper-case letters; write it in lower case'
  if (isDnsName(host.startsWith('*.') ? host.slice(2) : host)) return undefined
  return 'is no DNS name; the form is a.example.com or *.example.com, without a port'
}

/** The host that requests for one that is not taken would name: in lower case, without port and final dot. */
export function guessHost(host: string): string | undefined {
  const name = host.trim().toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
  return isIPv4(name) || hostProblem(name) === undefined ? name : undefined
}

/**
 * Lower-case DNS name (RFC 1123), one label or more, no final dot. A numeric last label makes resolvers read an IPv4
 * address, such as 127.1 or 0x7f.1, so that is no name.
 */
export function isDnsName(name: string): boolean {
  return name.length <= 253 && NAME.test(name) && !/(^|\.)(\d+|0x[0-9a-f]*)$/.test(name)
}

/** Whether a cookie domain covers a host; a wildcard host only when it covers all of its names. */
export function isWithinDomain(host: string, domain: string): boolean {
  const name = host.startsWith('*.') ? host.slice(2) : host
  return name === domain || name.endsWith(`.${domain}`)
}
