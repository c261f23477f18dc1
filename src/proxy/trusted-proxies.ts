import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { OstiaryError } from '../errors.ts'

/** What is known of the client's connection once trusted proxies have been asked. */
export interface ConnectionView {
  /** The nearest address that is no trusted proxy; IPv4 in dotted form also where it came mapped to IPv6. */
  readonly clientAddress: string
  /** The scheme that the client used. */
  readonly scheme: 'http' | 'https'
  /** X-Forwarded-For as it goes upstream: from the client's address to the peer's. What lies left is hearsay. */
  readonly forwardedFor: string
  /** X-Forwarded-Host of a trusted peer. For upstreams only: routing never reads it. */
  readonly forwardedHost?: string
  /** X-Forwarded-Port of a trusted peer. */
  readonly forwardedPort?: string
  /** X-Forwarded-Proto as it goes upstream. */
  readonly forwardedProto: 'http' | 'https'
  /** The peer is a trusted proxy: its other forwarding headers survive. */
  readonly trusted: boolean
}

/** The proxies whose word on the client is taken. */
export interface TrustedProxies {
  /**
   * @param peerAddress the socket's remote address
   * @param encrypted whether the socket is TLS
   * @param headers as node:http gives them: repeated fields joined by commas
   */
  view(peerAddress: string, encrypted: boolean, headers: IncomingHttpHeaders): ConnectionView
}

/**
 * Trusts the proxies in these networks; an address without length is a network of one. IPv4 addresses and their
 * IPv6-mapped form are the same.
 *
 * @throws OstiaryError ERR_SETTINGS_INVALID, naming the entry that is no network
 */
export function createTrustedProxies(cidrs: readonly string[]): TrustedProxies {
  const networks = new BlockList()
  for (const cidr of cidrs) addNetwork(networks, cidr.trim())
  return new CidrTrustedProxies(networks, cidrs.length === 0)
}

class CidrTrustedProxies implements TrustedProxies {
  // Peers repeat, and BlockList makes a native object for each question.
  readonly #answers = new Map<string, boolean>()
  readonly #networks: BlockList
  readonly #none: boolean

  constructor(networks: BlockList, none: boolean) {
    this.#networks = networks
    this.#none = none
  }

  view(peerAddress: string, encrypted: boolean, headers: IncomingHttpHeaders): ConnectionView {
    const peer = plainAddress(peerAddress)
    const scheme = encrypted ? 'https' : 'http'
    if (this.#none || !this.#trusts(peer)) {
      return { clientAddress: peer, scheme, forwardedFor: peer, forwardedProto: scheme, trusted: false }
    }
    return this.#trustedView(peer, scheme, headers)
  }

  #trustedView(peer: string, peerScheme: 'http' | 'https', headers: IncomingHttpHeaders): ConnectionView {
    const hops = this.#vouchedHops(elements(headers['x-forwarded-for']))
    const scheme = schemeOf(elementOfHop(headers['x-forwarded-proto'], hops.length)) ?? peerScheme
    const host = elementOfHop(headers['x-forwarded-host'], hops.length)
    const port = elementOfHop(headers['x-forwarded-port'], hops.length)
    return {
      clientAddress: hops[0] ?? peer,
      scheme,
      forwardedFor: [...hops, peer].join(', '),
      forwardedProto: scheme,
      trusted: true,
      ...(host !== undefined && host !== '' && { forwardedHost: host }),
      ...(port !== undefined && /^[0-9]{1,5}$/.test(port) && { forwardedPort: port }),
    }
  }

  /**
   * The entries of X-Forwarded-For that trusted proxies wrote, client first: from the right up to the first address
   * that is not trusted itself, or to the first that is no address.
   */
  #vouchedHops(entries: readonly string[]): string[] {
    const hops: string[] = []
    for (let i = entries.length - 1; i >= 0; i--) {
      const address = forwardedAddress(entries[i] ?? '')
      if (address === undefined) break
      hops.push(address)
      if (!this.#trusts(address)) break
    }
    return hops.toReversed()
  }

  #trusts(address: string): boolean {
    let answer = this.#answers.get(address)
    if (answer === undefined) {
      const version = isIP(address)
      answer = version !== 0 && this.#networks.check(address, version === 4 ? 'ipv4' : 'ipv6')
      if (this.#answers.size >= 1024) this.#answers.clear()
      this.#answers.set(address, answer)
    }
    return answer
  }
}

function addNetwork(networks: BlockList, cidr: string): void {
  const slash = cidr.indexOf('/')
  const given = slash === -1 ? cidr : cidr.slice(0, slash)
  const address = plainAddress(given)
  const version = isIP(address)
  const bits = version === 4 ? 32 : 128
  const length = slash === -1 ? bits : prefixLength(cidr.slice(slash + 1), version !== isIP(given))
  if (version === 0 || length < 0 || length > bits) {
    throw new OstiaryError(
      'ERR_SETTINGS_INVALID',
      `trusted proxies: "${cidr}" is no network; write an address or a CIDR such as 10.0.0.0/8 or fd00::/8`,
    )
  }
  networks.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6')
}

/** -1 where the text is no length; of an IPv4 network written as mapped IPv6, 96 bits are the mapping's. */
function prefixLength(text: string, mapped: boolean): number {
  if (!/^[0-9]{1,3}$/.test(text)) return -1
  return mapped ? Number(text) - 96 : Number(text)
}

function plainAddress(address: string): string {
  if (!address.includes(':')) return address
  const zone = address.indexOf('%')
  const withoutZone = (zone === -1 ? address : address.slice(0, zone)).toLowerCase()
  const mapped = withoutZone.startsWith('::ffff:') ? withoutZone.slice(7) : ''
  return isIP(mapped) === 4 ? mapped : withoutZone
}

/** An entry of X-Forwarded-For, from which some proxies do not take the port. */
function forwardedAddress(entry: string): string | undefined {
  const withoutPort = /^\[([^\]]*)\](?::[0-9]+)?$/.exec(entry) ?? /^([0-9.]+):[0-9]+$/.exec(entry)
  const address = plainAddress(withoutPort?.[1] ?? entry)
  return isIP(address) === 0 ? undefined : address
}

function elements(field: string | string[] | undefined): string[] {
  if (field === undefined || field.length === 0) return []
  const list = typeof field === 'string' ? field : field.join(',')
  return list.split(',').map((element) => element.trim())
}

/**
 * What the proxy nearest to the client said, where each hop appended its own; a proxy that replaced the field left
 * one element. Elements further left are the client's own words.
 */
function elementOfHop(field: string | string[] | undefined, hops: number): string | undefined {
  const all = elements(field)
  return all[Math.max(0, all.length - Math.max(1, hops))]
}

function schemeOf(proto: string | undefined): 'http' | 'https' | undefined {
  const lowerCase = proto?.toLowerCase()
  return lowerCase === 'https' || lowerCase === 'http' ? lowerCase : undefined
}
