import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { messageOf, OstiaryError } from '../errors.ts'
import { Networks, plainAddress } from './networks.ts'

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
  return new CidrTrustedProxies(readNetworks(cidrs), cidrs.length === 0)
}

function readNetworks(cidrs: readonly string[]): Networks {
  try {
    return new Networks(cidrs)
  } catch (error) {
    const message = `trusted proxies: ${messageOf(error)}; write an address or a CIDR such as 10.0.0.0/8 or fd00::/8`
    throw new OstiaryError('ERR_SETTINGS_INVALID', message)
  }
}

class CidrTrustedProxies implements TrustedProxies {
  readonly #networks: Networks
  readonly #none: boolean

  constructor(networks: Networks, none: boolean) {
    this.#networks = networks
    this.#none = none
  }

  view(peerAddress: string, encrypted: boolean, headers: IncomingHttpHeaders): ConnectionView {
    const peer = plainAddress(peerAddress)
    const scheme = encrypted ? 'https' : 'http'
    if (this.#none || !this.#networks.has(peer)) {
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
      if (!this.#networks.has(address)) break
    }
    return hops.toReversed()
  }
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
