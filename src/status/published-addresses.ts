import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import { addressesOfService, toAddresses, type IngressAddress } from './ingress-addresses.ts'

export interface PublishedAddressesOptions {
  readonly api: ApiServer
  readonly logger: Logger
  readonly clock: Clock
  /** `namespace/name` of the Service in front of this controller. */
  readonly service?: string
  /** Given addresses, which count instead. */
  readonly addresses: readonly string[]
}

/** A Service is asked for its addresses at most so often. */
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
   * @returns Nothing when they are not known, so that what is written stays: none were configured, or the Service
   * could not be read yet.
   */
  async current(signal: AbortSignal): Promise<readonly IngressAddress[] | undefined> {
    const { service, addresses, clock } = this.#options
    if (service === undefined || addresses.length > 0) return this.#known
    if (clock.monotonic() - this.#askedMs < FRESH_MS) return this.#known
    this.#askedMs = clock.monotonic()
    await this.#ask(service, signal)
    return this.#known
  }

  async #ask(service: string, signal: AbortSignal): Promise<void> {
    const { api, logger } = this.#options
    const [namespace = '', name = ''] = service.split('/')
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${encodeURIComponent(name)}`
    try {
      this.#known = addressesOfService(await api.json({ path, signal }))
      this.#problem = undefined
    } catch (error) {
      if (signal.aborted || messageOf(error) === this.#problem) return
      this.#problem = messageOf(error)
      logger.warn(
        { service, reason: this.#problem },
        'the Service of --publish-service cannot be read; the addresses of Ingresses stay as they are',
      )
    }
  }
}
