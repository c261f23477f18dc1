import type { Clock } from '../../clock.ts'
import type { AuthorizationServer } from '../../table/policy.ts'
import type { Answer, KeySet } from './authorization-server-client.ts'
import {
  discover,
  endpointOverride,
  overriddenServer,
  type DiscoveredServer,
  type EndpointMember,
} from './discovery.ts'
import { endpointUrl } from './endpoint-url.ts'
import { JoinedKeys } from './joined-keys.ts'
import { fetchKeys, ServerKeys } from './keys.ts'
import { KeptAnswer, type Fetched } from './kept-answer.ts'
import { OutboundFetch, type OutboundDependencies } from './outbound-fetch.ts'
import { unavailable } from './unavailable.ts'

/** All that is kept of one authorization server: connections, metadata, keys. */
export class ServerConnection {
  readonly server: AuthorizationServer
  readonly clock: Clock
  readonly outbound: OutboundFetch
  readonly #discovered: KeptAnswer<DiscoveredServer>
  readonly #keys: JoinedKeys

  constructor(server: AuthorizationServer, dependencies: OutboundDependencies) {
    const { clock } = dependencies
    this.server = server
    this.clock = clock
    this.outbound = new OutboundFetch(server, dependencies)
    this.#discovered = new KeptAnswer(clock, () => discover(server, this.outbound, clock))
    const keysAt = (locate: () => Promise<Answer<URL>> | Answer<URL>): ServerKeys =>
      new ServerKeys(clock, async () => this.#fetchKeys(await locate()), server.missingKeyPauseMs)
    this.#keys = new JoinedKeys(
      keysAt(() => this.endpoint('jwksUri')),
      server.extraJwksUris.map((uri) => keysAt(() => readEndpoint(uri, server, 'jwksUri'))),
    )
  }

  /** What was discovered; where discovery fails, what the policy's overrides make, if that is enough. */
  async discovered(): Promise<Answer<DiscoveredServer>> {
    const answer = await this.#discovered.get()
    if (answer.ok) return answer
    const overridden = overriddenServer(this.server)
    return overridden ? { ok: true, value: overridden } : answer
  }

  /** See `AuthorizationServerClient.keys`. */
  keys(missingKeyId?: string): Promise<Answer<KeySet>> {
    return this.#keys.get(missingKeyId)
  }

  /** The keys in use; `undefined` before the first fetch. Fetches nothing. */
  get knownKeys(): KeySet | undefined {
    return this.#keys.current
  }

  /** When the oldest keys in use were fetched, in milliseconds since the epoch; `undefined` before the first fetch. */
  get keysFetchedAtMs(): number | undefined {
    return this.#keys.oldestFetchedAtMs
  }

  /** The URL of an endpoint. One that the policy gives needs no discovery. */
  async endpoint(member: EndpointMember): Promise<Answer<URL>> {
    const override = endpointOverride(this.server, member)
    if (override !== undefined) return readEndpoint(override, this.server, member)
    const discovered = await this.#discovered.get()
    if (!discovered.ok) return discovered
    const { metadata, problems } = discovered.value
    const url = metadata[member]
    if (url !== undefined) return readEndpoint(url, this.server, member)
    return unavailable(`${member} of ${this.server.issuer} ${problems[member] ?? 'is not in its metadata'}`)
  }

  async #fetchKeys(url: Answer<URL>): Promise<Answer<Fetched<KeySet>>> {
    return url.ok ? fetchKeys(url.value, this.outbound, this.clock) : url
  }

  /** Lets running calls end and closes the connections. */
  close(): Promise<void> {
    return this.outbound.close()
  }
}

function readEndpoint(value: string, server: AuthorizationServer, member: EndpointMember): Answer<URL> {
  const read = endpointUrl(value, server)
  if ('url' in read) return { ok: true, value: read.url }
  return unavailable(`${member} of ${server.issuer} ${read.problem}`)
}
