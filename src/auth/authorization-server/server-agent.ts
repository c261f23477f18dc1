import { isIP } from 'node:net'
import { Agent, buildConnector, Dispatcher, EnvHttpProxyAgent, Pool } from 'undici'
import type { AuthorizationServer } from '../../table/policy.ts'
import { AddressRefusedError, anyAddress, guardedLookup, type AddressGuard } from './address-guard.ts'

/** No protocol message comes near it. */
export const MAXIMUM_RESPONSE_BYTES = 1024 * 1024

/** HTTP proxies, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY name them. */
export interface OutboundProxies {
  readonly httpUrl?: string
  readonly httpsUrl?: string
  /** Hosts that are called without a proxy: `host`, `.domain`, `host:port`, `*`. */
  readonly exempt?: readonly string[]
}

/**
 * The connections to one authorization server: TLS and time-outs as its policy has them, HTTP/1.1, no redirects, no
 * more than 1 MiB a response, and no connection to an address that the guard refuses.
 *
 * A proxy is chosen by the scheme of the URL that is called. Behind one, names are the proxy's to resolve; literal
 * addresses are still judged here, and so is a proxy that the policy names, whose author need not be trusted with the
 * pod's network. Proxies of the controller's own settings may be anywhere.
 */
export function createServerAgent(
  server: AuthorizationServer,
  guard: AddressGuard,
  proxies: OutboundProxies = {},
): Dispatcher {
  return new ServerDispatcher(server, guard, proxies)
}

type Scheme = 'http:' | 'https:'

class ServerDispatcher extends Dispatcher {
  readonly #guard: AddressGuard
  readonly #direct: Agent
  readonly #proxied: Readonly<Record<Scheme, Dispatcher | undefined>>
  readonly #proxyHosts: Readonly<Record<Scheme, string | undefined>>

  constructor(server: AuthorizationServer, guard: AddressGuard, proxies: OutboundProxies) {
    super()
    const { httpUrl, httpsUrl, exempt = proxies.exempt ?? [] } = server.proxy
    const agents = new ProxyAgents(server, guard, exempt)
    this.#guard = guard
    this.#direct = new Agent({ ...limitsOf(server), connect: guardedConnector(server, guard) })
    this.#proxied = {
      'http:': agents.create(httpUrl, proxies.httpUrl),
      'https:': agents.create(httpsUrl, proxies.httpsUrl),
    }
    this.#proxyHosts = { 'http:': hostOf(httpUrl), 'https:': hostOf(httpsUrl) }
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { protocol, hostname } = new URL(options.origin ?? '')
    const scheme = protocol === 'https:' ? 'https:' : 'http:'
    for (const host of [hostname, this.#proxyHosts[scheme]]) {
      // Node looks up no literal address, so that the guarded look-up never sees one.
      const address = host?.replace(/^\[|\]$/g, '') ?? ''
      if (isIP(address) !== 0 && !this.#guard(address)) throw new AddressRefusedError(address)
    }
    return (this.#proxied[scheme] ?? this.#direct).dispatch(options, handler)
  }

  override async close(): Promise<void> {
    await Promise.all(this.#agents().map((agent) => agent.close()))
  }

  override async destroy(): Promise<void> {
    await Promise.all(this.#agents().map((agent) => agent.destroy()))
  }

  #agents(): readonly Dispatcher[] {
    const all = [this.#direct, this.#proxied['http:'], this.#proxied['https:']]
    return all.filter((agent) => agent !== undefined)
  }
}

class ProxyAgents {
  readonly #server: AuthorizationServer
  readonly #guard: AddressGuard
  readonly #exempt: string

  constructor(server: AuthorizationServer, guard: AddressGuard, exempt: readonly string[]) {
    this.#server = server
    this.#guard = guard
    this.#exempt = exempt.join(',')
  }

  /**
   * @param own The policy's proxy.
   * @param shared The controller's.
   */
  create(own: string | undefined, shared: string | undefined): Dispatcher | undefined {
    const url = own ?? shared
    if (url === undefined) return undefined
    const limits = limitsOf(this.#server)
    const lookup = guardedLookup(own === undefined ? anyAddress : this.#guard)
    return new EnvHttpProxyAgent({
      ...limits,
      // All three are given, so that no variable of the environment is read.
      httpProxy: url,
      httpsProxy: url,
      noProxy: this.#exempt,
      // For exempt hosts.
      connect: guardedConnector(this.#server, this.#guard),
      requestTls: tlsOf(this.#server),
      proxyTls: { allowH2: false, timeout: this.#server.timeoutMs, lookup },
      // Plain http goes through the proxy without a tunnel, over connections that would not know the limits.
      factory: (origin: URL | string, options: object) => new Pool(origin, { ...limits, ...options }),
    })
  }
}

function limitsOf({ timeoutMs }: AuthorizationServer) {
  return {
    allowH2: false,
    connections: 64,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: MAXIMUM_RESPONSE_BYTES,
  } as const
}

function tlsOf(server: AuthorizationServer) {
  return {
    allowH2: false,
    timeout: server.timeoutMs,
    rejectUnauthorized: !server.insecureSkipTlsVerify,
    ...(server.certificateAuthorities !== undefined && { ca: server.certificateAuthorities }),
  } as const
}

function guardedConnector(server: AuthorizationServer, guard: AddressGuard): buildConnector.connector {
  const connect = buildConnector({ ...tlsOf(server), lookup: guardedLookup(guard) })
  return (options, callback) => {
    try {
      connect(options, callback)
    } catch (error) {
      // A CA that is no PEM throws while the TLS context is made.
      callback(error instanceof Error ? error : new Error('cannot connect'), null)
    }
  }
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : URL.parse(url)?.hostname
}
