import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Whether an address may be connected to. Anything that is no IP address may not. */
export type AddressGuard = (address: string) => boolean

/** Lets every address pass. */
export const anyAddress: AddressGuard = () => true

const REFUSED = new BlockList()
REFUSED.addSubnet('0.0.0.0', 8, 'ipv4')
REFUSED.addSubnet('127.0.0.0', 8, 'ipv4')
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4')
// Unspecified, loopback and the IPv4-compatible forms; BlockList judges ::ffff:0:0/96 by the IPv4 rules itself.
REFUSED.addSubnet('::', 96, 'ipv6')
REFUSED.addSubnet('fe80::', 10, 'ipv6')
// The same IPv4 ranges behind NAT64 (RFC 6052 §2.1).
REFUSED.addSubnet('64:ff9b::', 104, 'ipv6')
REFUSED.addSubnet('64:ff9b::7f00:0', 104, 'ipv6')
REFUSED.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
// Metadata services that are not link-local: Alibaba Cloud, Azure's wire server, Oracle Cloud's older one; EC2, EKS and
// Google by IPv6.
for (const address of ['100.100.100.200', '168.63.129.16', '192.0.0.192']) {
  REFUSED.addAddress(address, 'ipv4')
  REFUSED.addAddress(`64:ff9b::${address}`, 'ipv6')
}
for (const address of ['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254']) REFUSED.addAddress(address, 'ipv6')

/**
 * Refuses loopback, link-local and unspecified addresses, in their IPv4-mapped, IPv4-compatible and NAT64 forms too:
 * what an issuer could use to reach the pod itself or the node's metadata service, wherever a cloud keeps that.
 */
export const noLocalAddress: AddressGuard = (address) => {
  const bare = address.replace(/^\[|\]$|%.*$/g, '')
  const family = isIP(bare)
  return family !== 0 && !REFUSED.check(bare, family === 4 ? 'ipv4' : 'ipv6')
}

/** A connection was refused because of where it would have gone. The message names the host, not the address. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError'
  readonly code = 'ADDRESS_REFUSED'

  constructor(host: string) {
    super(`${host} is a loopback, link-local or unspecified address, or a cloud's metadata service`)
  }
}

/**
 * A `lookup` for `net.connect` that drops refused addresses from the very answer that is connected to, so that no
 * second DNS answer (rebinding) can slip in between check and connection. Node skips it for literal addresses:
 * check those before connecting.
 *
 * @param resolve Resolves names; `dns.lookup` unless a test brings its own.
 */
export function guardedLookup(guard: AddressGuard, resolve: typeof dnsLookup = dnsLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0)
      const allowed = addresses.filter(({ address }) => guard(address))
      const first: LookupAddress | undefined = allowed[0]
      if (first === undefined) return callback(new AddressRefusedError(hostname), '', 0)
      if (options.all === true) return callback(null, allowed)
      callback(null, first.address, first.family)
    })
  }
}
