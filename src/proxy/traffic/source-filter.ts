import { isIP } from 'node:net'
import type { SourceRange } from '../../table/route-traffic.ts'
import { Networks } from '../networks.ts'

/** Admits clients by their address. */
export class SourceFilter {
  readonly #allow: Networks | undefined
  readonly #deny: Networks | undefined

  constructor({ allow, deny }: SourceRange) {
    this.#allow = allow && new Networks(allow)
    this.#deny = deny && new Networks(deny)
  }

  /** @param address after trusted proxies; what is no address is not admitted */
  admits(address: string): boolean {
    if (isIP(address) === 0 || this.#deny?.has(address) === true) return false
    return this.#allow === undefined || this.#allow.has(address)
  }
}
