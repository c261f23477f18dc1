import { BlockList, isIP } from 'node:net'

const MAXIMUM_ANSWERS = 1024

/** A set of networks. IPv4 addresses and their IPv6-mapped form are the same. */
export class Networks {
  // Addresses repeat, and BlockList makes a native object for each question.
  readonly #answers = new Map<string, boolean>()
  readonly #list = new BlockList()

  /**
   * @param cidrs An address without length is a network of one.
   * @throws TypeError naming the entry that is no network
   */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) this.#add(cidr.trim())
  }

  /** @param address from `plainAddress`; what is no address is in no network. */
  has(address: string): boolean {
    let answer = this.#answers.get(address)
    if (answer === undefined) {
      const version = isIP(address)
      answer = version !== 0 && this.#list.check(address, version === 4 ? 'ipv4' : 'ipv6')
      if (this.#answers.size >= MAXIMUM_ANSWERS) this.#answers.clear()
      this.#answers.set(address, answer)
    }
    return answer
  }

  #add(cidr: string): void {
    const slash = cidr.indexOf('/')
    const given = slash === -1 ? cidr : cidr.slice(0, slash)
    const address = plainAddress(given)
    const version = isIP(address)
    const bits = version === 4 ? 32 : 128
    const length = slash === -1 ? bits : prefixLength(cidr.slice(slash + 1), version !== isIP(given))
    if (version === 0 || length < 0 || length > bits) throw new TypeError(`"${cidr}" is no network`)
    this.#list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/** -1 where the text is no length; of an IPv4 network written as mapped IPv6, 96 bits are the mapping's. */
function prefixLength(text: string, mapped: boolean): number {
  if (!/^[0-9]{1,3}$/.test(text)) return -1
  return mapped ? Number(text) - 96 : Number(text)
}

/** An address in lower case without zone, and in dotted form where it is IPv4 mapped to IPv6. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address
  const zone = address.indexOf('%')
  const withoutZone = (zone === -1 ? address : address.slice(0, zone)).toLowerCase()
  const mapped = withoutZone.startsWith('::ffff:') ? withoutZone.slice(7) : ''
  return isIP(mapped) === 4 ? mapped : withoutZone
}
