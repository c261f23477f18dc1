import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorCode, listenOnLoopback, type Listening } from '../listen-on-loopback.ts'
import { createProvider } from './create-provider.ts'
import { oktaError, send } from './exchange.ts'
import { Faults, type Endpoint } from './faults.ts'
import { IssuedTokens } from './issued-tokens.ts'
import { MemoryStorage } from './memory-storage.ts'
import { RateLimits } from './rate-limits.ts'
import {
  DEMO_CLIENTS,
  DEMO_SCOPES,
  DEMO_USERS,
  Registry,
  type ClientRegistration,
  type ScopeRegistration,
  type UserRegistration,
} from './registration.ts'
import { route } from './route.ts'
import { BASE_PATH, type RunningState, type ServerState } from './server-state.ts'
import { SigningKeys } from './signing-keys.ts'

export interface AuthorizationServerOptions {
  /** 0 picks a free one. */
  readonly port: number
  /** The one address to listen on. Default: localhost in IPv4 and IPv6. */
  readonly host?: string
  /** Origin of the issuer, where it is reached under another name. Default: `http://localhost:<port>`. */
  readonly issuerBase?: string
  readonly clients?: readonly ClientRegistration[]
  readonly users?: readonly UserRegistration[]
  readonly scopes?: readonly ScopeRegistration[]
  /** Default `api://default`. */
  readonly audience?: string
  /** Claim with a user's groups in access and ID tokens; null configures none. Default `groups`. */
  readonly groupsClaim?: string | null
  /** Whether authorization responses name their issuer (RFC 9207). Okta's do not. Default false. */
  readonly authorizationResponseIss?: boolean
  /** Whether ID tokens name the browser's session (`sid`), for front- and back-channel logout. Default false. */
  readonly sessionIds?: boolean
  /** Requests a minute and endpoint before it answers 429. Default 100 000. */
  readonly rateLimitPerMinute?: number
}

export interface AuthorizationServer {
  readonly issuer: string
  /** `http://localhost:<port>` or the host asked for: where it listens, whatever the issuer says. */
  readonly url: string
  readonly faults: AuthorizationServerFaults
  /** Signs any claims with the current key: tokens that the server would never issue. */
  sign(claims: object, header?: Readonly<Record<string, unknown>>): Promise<string>
  close(): Promise<void>
}

/** What an outage or an administrator can do, on demand. */
interface AuthorizationServerFaults extends Omit<Faults, 'apply' | 'record'> {
  /** `refused` closes the port, `unavailable` answers 503 to everything. */
  down(how: 'refused' | 'unavailable'): Promise<void>
  /** Ends `down`, on the same port. */
  up(): Promise<void>
  /** The endpoint answers 429 until `restoreRate`. */
  exhaustRate(endpoint: Endpoint): void
  restoreRate(): void
  /** A new key signs from now on; the old ones stay published or not. @returns The new kid. */
  rotateKeys(old: 'kept' | 'dropped'): Promise<string>
  /** The client is refused and its tokens are dead for good, even when it is activated again. */
  deactivateClient(clientId: string): void
  activateClient(clientId: string): void
  /** The user cannot sign in, is signed out, and their tokens are dead for good. */
  deactivateUser(login: string): void
  activateUser(login: string): void
}

/**
 * Starts an authorization server that behaves like an Okta custom authorization server named `default`. It keeps
 * everything in memory, accepts any password and serves plain http: for demos and tests only.
 *
 * @throws {Error} When the port is taken or the address is not this machine's.
 */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const running = new RunningServer(options)
  await running.start()
  return running
}

class RunningServer implements AuthorizationServer {
  readonly #options: AuthorizationServerOptions
  readonly #limits: RateLimits
  readonly #faults = new Faults()
  #state: RunningState | undefined
  #listening: Listening | undefined
  #port = 0
  #unavailable = false
  readonly faults: AuthorizationServerFaults

  constructor(options: AuthorizationServerOptions) {
    this.#options = options
    this.#limits = new RateLimits(options.rateLimitPerMinute ?? 100_000)
    this.faults = Object.assign(this.#faults, {
      down: (how: 'refused' | 'unavailable') => this.#down(how),
      up: () => this.#up(),
      exhaustRate: (endpoint: Endpoint) => this.#limits.exhaust(endpoint),
      restoreRate: () => this.#limits.restore(),
      rotateKeys: (old: 'kept' | 'dropped') => this.#running.keys.rotate(old),
      deactivateClient: (clientId: string) => this.#deactivateClient(clientId),
      activateClient: (clientId: string) => this.#running.registry.setClientActive(clientId, true),
      deactivateUser: (login: string) => this.#deactivateUser(login),
      activateUser: (login: string) => void this.#running.registry.setUserActive(login, true),
    })
  }

  get issuer(): string {
    return this.#running.issuer
  }

  get url(): string {
    return `http://${urlHost(this.#options.host ?? 'localhost')}:${this.#port}`
  }

  sign(claims: object, header?: Readonly<Record<string, unknown>>): Promise<string> {
    return this.#running.keys.sign(claims, header)
  }

  async start(): Promise<void> {
    this.#port = this.#options.port
    await this.#up()
    const state = await createState(this.#options, this.#faults, this.url)
    this.#state = { ...state, provider: await createProvider(state) }
  }

  async close(): Promise<void> {
    this.#faults.clear()
    await this.#listening?.close()
    this.#listening = undefined
  }

  get #running(): RunningState {
    if (!this.#state) throw new Error('the authorization server has not started yet')
    return this.#state
  }

  async #down(how: 'refused' | 'unavailable'): Promise<void> {
    this.#unavailable = how === 'unavailable'
    if (how === 'unavailable') return
    await this.#listening?.close()
    this.#listening = undefined
  }

  async #up(): Promise<void> {
    this.#unavailable = false
    const hosts = this.#options.host === undefined ? undefined : [this.#options.host]
    this.#listening ??= await listenOnLoopback(
      (request, response) => void this.#answer(request, response),
      this.#port,
      hosts,
    )
    this.#port = this.#listening.port
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (this.#unavailable || !this.#state) {
        send(response, {
          status: 503,
          headers: { 'Content-Type': 'text/html' },
          body: '<h1>Service Unavailable</h1>',
        })
      } else {
        await route(this.#state, this.#limits, request, response)
      }
    } catch (error) {
      // A client that went away is no error; anything else must not take the process along.
      if (errorCode(error) === 'ECONNRESET') return
      console.error(`authorization server: ${error instanceof Error ? error.message : 'unknown error'}`)
      if (!response.headersSent) send(response, oktaError(500, 'E0000009', 'Internal Server Error'))
    }
  }

  #deactivateClient(clientId: string): void {
    const { registry, storage, tokens } = this.#running
    registry.setClientActive(clientId, false)
    tokens.revokeWhere((claims) => claims.cid === clientId)
    storage.forgetClient(clientId)
  }

  #deactivateUser(login: string): void {
    const { registry, storage, tokens } = this.#running
    const id = registry.setUserActive(login, false)
    tokens.revokeWhere((claims) => claims.uid === id)
    storage.forgetUser(id)
  }
}

async function createState(
  options: AuthorizationServerOptions,
  faults: Faults,
  url: string,
): Promise<ServerState> {
  return {
    issuer: `${options.issuerBase ?? url}${BASE_PATH}`,
    audience: options.audience ?? 'api://default',
    customScopes: options.scopes ?? DEMO_SCOPES,
    groupsClaim: options.groupsClaim === null ? undefined : (options.groupsClaim ?? 'groups'),
    authorizationResponseIss: options.authorizationResponseIss ?? false,
    sessionIds: options.sessionIds ?? false,
    registry: new Registry(options.clients ?? DEMO_CLIENTS, options.users ?? DEMO_USERS),
    keys: await SigningKeys.generate(),
    storage: new MemoryStorage(),
    tokens: new IssuedTokens(),
    faults,
  }
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
