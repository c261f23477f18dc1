import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import { addressesOfService, toAddresses, type IngressAddress } from './ingress-addresses.ts'
import type { NodeAddresses } from './node-addresses.ts'
import { ProblemLog } from './problem-log.ts'

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
  readonly #problems: ProblemLog

  constructor(options: PublishedAddressesOptions) {
    this.#options = options
    this.#problems = new ProblemLog(options.logger, options.clock)
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
      this.#problems.solved()
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

  #report(reason: string): void {
    const { service } = this.#options
    const fields = service === undefined ? { reason } : { service, reason }
    const what = service === undefined ? 'the nodes of our pods' : 'the Service of --publish-service'
    this.#problems.report(fields, `${what} cannot be read; the addresses of Ingresses stay as they are`)
  }
}
