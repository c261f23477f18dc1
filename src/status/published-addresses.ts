import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import { addressesOfService, toAddresses, type IngressAddress } from './ingress-addresses.ts'
import type { NodeAddresses } from './node-addresses.ts'

export interface PublishedAddressesOptions {
  readonly api: ApiServer
  readonly logger: Logger
  readonly clock: Clock
  /** `namespace/name` of the Service in front of this controller. */
  readonly service?: string
  /** Where there is no Service: the nodes that it runs on. */
  readonly nodes?: Pick<NodeAddresses, 'read'>
  /** Given addresses, which count instead of either. */
  readonly addresses: readonly string[]
}

/** The API server is asked at most so often. */
const FRESH_MS = 5000

/** The addresses that Ingresses are told to be reached by. */
export class PublishedAddresses {
  readonly #options: PublishedAddressesOptions
  #known: readonly IngressAddress[] | undefined
  #askedMs = Number.NEGATIVE_INFINITY
  #problem: string | undefined

  constructor(options: PublishedAddressesOptions) {
    this.#options = options
    if (options.addresses.length > 0) this.#known = toAddresses(options.addresses)
  }

  /**
   * Never rejects.
   *
   * @returns Nothing when they are not known, so that what is written stays: none were configured, or they could not
   * be read yet.
   */
  async current(signal: AbortSignal): Promise<readonly IngressAddress[] | undefined> {
    const { addresses, clock } = this.#options
    const read = this.#reader()
    if (read === undefined || addresses.length > 0) return this.#known
    if (clock.monotonic() - this.#askedMs < FRESH_MS) return this.#known
    this.#askedMs = clock.monotonic()
    try {
      this.#known = (await read(signal)) ?? this.#known
      this.#problem = undefined
    } catch (error) {
      if (!signal.aborted) this.#report(messageOf(error))
    }
    return this.#known
  }

  #reader(): ((signal: AbortSignal) => Promise<IngressAddress[] | undefined>) | undefined {
    const { api, service, nodes } = this.#options
    if (service === undefined) return nodes && ((signal) => nodes.read(signal))
    const [namespace = '', name = ''] = service.split('/')
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${encodeURIComponent(name)}`
    return async (signal) => addressesOfService(await api.json({ path, signal }))
  }

  /** Once for as long as the reason is the same. */
  #report(reason: string): void {
    if (reason === this.#problem) return
    this.#problem = reason
    const { service, logger } = this.#options
    const told = service === undefined ? { reason } : { service, reason }
    const what = service === undefined ? 'the nodes of our pods' : 'the Service of --publish-service'
    logger.warn(told, `${what} cannot be read; the addresses of Ingresses stay as they are`)
  }
}
