import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import type { AuthorizationServer } from '../../src/table/policy.ts'

/** The endpoints of the hostile server. */
export type HostileEndpoint = 'userinfo' | 'discovery' | 'keys' | 'token' | 'introspect' | 'revoke'

/** A request as it came, with its form decoded. */
export interface RecordedRequest {
  readonly endpoint: HostileEndpoint
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly form: URLSearchParams
}

export interface HostileReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is where a string, else as JSON. */
  readonly body?: unknown
}

/** Answers a request; `hang` never does, `drop` closes the connection, `drip` sends half a body and then hangs. */
export type HostileBehaviour = (
  request: RecordedRequest,
) => HostileReply | 'hang' | 'drop' | 'drip' | Promise<HostileReply>

export interface HostileOptions {
  /** PEM; given: https. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** How the issuer names the host; it must resolve to a loopback address. Default: 127.0.0.1. */
  readonly hostName?: string
  /** Path of the issuer; empty: the issuer is the origin, as Okta's org server has it. Default: /oauth2/default. */
  readonly issuerPath?: string
  /** Signature of ID tokens. Default: RS256. */
  readonly algorithm?: string
}

interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

/** What tests ask of every endpoint: none of it is an answer that the protocol knows. */
export const NO_ANSWER: Readonly<Record<string, HostileBehaviour>> = {
  'closes the connection': () => 'drop',
  'never answers': () => 'hang',
  'stops in the middle': () => 'drip',
  'answers 500 with JSON': () => ({ status: 500, body: { error: 'invalid_client' } }),
  'answers 502 with HTML': () => ({ status: 502, body: '<html>Bad gateway</html>' }),
  'redirects elsewhere': () => ({
    status: 302,
    headers: { location: 'https://elsewhere.example/' },
    body: {},
  }),
  'answers HTML': () => ({ headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' }),
  'answers an array': () => ({ body: [{ active: true }] }),
  'answers null': () => ({ body: 'null' }),
  'answers half a JSON text': () => ({ body: '{"active":true,"access_token":"t","token_type":"Bearer"' }),
  'answers nothing': () => ({ body: '' }),
  'answers 204': () => ({ status: 204 }),
  'answers more than a mebibyte': () => ({ body: { active: true, filler: 'x'.repeat(1_100_000) } }),
  'answers what is nested too deep': () => ({
    body: `{"active":true,"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  }),
}

/**
 * How long a test waits for an answer: short only where none will come, so that a busy machine fails no other test.
 *
 * @param name A key of {@link NO_ANSWER}, or any other description.
 */
export function timeoutFor(name: string): { readonly timeoutMs: number } {
  return { timeoutMs: ['never answers', 'stops in the middle'].includes(name) ? 500 : 10_000 }
}

/**
 * An authorization server on a loopback port that behaves until it is told not to. It counts and records what it is
 * asked, and signs whatever claims a test wants.
 */
export class HostileAuthorizationServer {
  readonly requests: RecordedRequest[] = []
  readonly issuer: string
  readonly #server: Server
  readonly #algorithm: string
  readonly #behaviours = new Map<HostileEndpoint, HostileBehaviour>()
  #signingKeys: SigningKey[] = []
  #nextKeyId = 1

  private constructor(server: Server, issuer: string, algorithm: string) {
    this.#server = server
    this.issuer = issuer
    this.#algorithm = algorithm
  }

  /** Starts one on port 0. */
  static async start(options: HostileOptions = {}): Promise<HostileAuthorizationServer> {
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      void hostile.#handle(request, response)
    }
    const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener)
    const hostName = options.hostName ?? '127.0.0.1'
    await new Promise<void>((resolve) => server.listen(0, hostName, resolve))
    const { port } = server.address() as AddressInfo
    const { issuerPath = '/oauth2/default' } = options
    const issuer = `${options.tls ? 'https' : 'http'}://${hostName}:${port}${issuerPath}`
    const hostile = new HostileAuthorizationServer(server, issuer, options.algorithm ?? 'RS256')
    await hostile.rotateKeys()
    return hostile
  }

  /** The server as a policy names it. Another `id` stands for another policy. */
  asPolicyServer(overrides: Partial<AuthorizationServer> = {}): AuthorizationServer {
    return {
      id: 'hostile',
      issuer: this.issuer,
      discoveryUrls: [`${this.issuer}/.well-known/openid-configuration`],
      extraJwksUris: [],
      missingKeyPauseMs: 30_000,
      proxy: {},
      timeoutMs: 5_000,
      insecureAllowHttp: false,
      insecureSkipTlsVerify: false,
      ...overrides,
    }
  }

  /** What the URLs of the endpoints begin with. */
  get endpoints(): string {
    const { origin, pathname } = new URL(this.issuer)
    return `${origin}${pathname === '/' ? '/oauth2' : pathname}/v1`
  }

  /** The metadata that is answered where no behaviour is set. */
  metadata(): Record<string, unknown> {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.endpoints}/authorize`,
      token_endpoint: `${this.endpoints}/token`,
      introspection_endpoint: `${this.endpoints}/introspect`,
      userinfo_endpoint: `${this.endpoints}/userinfo`,
      revocation_endpoint: `${this.endpoints}/revoke`,
      end_session_endpoint: `${this.endpoints}/logout`,
      jwks_uri: `${this.endpoints}/keys`,
      code_challenge_methods_supported: ['S256'],
      id_token_signing_alg_values_supported: [this.#algorithm],
    }
  }

  /** The public keys that are answered where no behaviour is set. */
  keySet(): { keys: JWK[] } {
    return { keys: this.#signingKeys.map(({ publicJwk }) => publicJwk) }
  }

  /** From now on the endpoint behaves like this; `undefined`: well again. */
  behave(endpoint: HostileEndpoint, behaviour: HostileBehaviour | undefined): void {
    if (behaviour) this.#behaviours.set(endpoint, behaviour)
    else this.#behaviours.delete(endpoint)
  }

  /** How often an endpoint was asked. */
  count(endpoint: HostileEndpoint): number {
    return this.requests.filter((request) => request.endpoint === endpoint).length
  }

  /** The last request to an endpoint. */
  last(endpoint: HostileEndpoint): RecordedRequest {
    const found = this.requests.findLast((request) => request.endpoint === endpoint)
    if (!found) throw new Error(`${endpoint} was never asked`)
    return found
  }

  /** Replaces the signing key by a new one. Gives its key id. */
  async rotateKeys(): Promise<string> {
    const kid = `key-${this.#nextKeyId}`
    this.#nextKeyId += 1
    const { privateKey, publicKey } = await keyPair(this.#algorithm, kid)
    const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: this.#algorithm, use: 'sig' }
    this.#signingKeys = [{ kid, privateKey, publicJwk }]
    return kid
  }

  /** The key that signs now. */
  get signingKey(): SigningKey {
    const [key] = this.#signingKeys
    if (!key) throw new Error('no signing key')
    return key
  }

  /** Signs claims with the current key, or another. Nothing is added. */
  sign(
    claims: Record<string, unknown>,
    key: { readonly kid: string; readonly privateKey: CryptoKey } = this.signingKey,
  ): Promise<string> {
    return new SignJWT(claims).setProtectedHeader({ alg: this.#algorithm, kid: key.kid }).sign(key.privateKey)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = await record(request)
    if (!recorded) {
      response.writeHead(404).end()
      return
    }
    this.requests.push(recorded)
    const behaviour = this.#behaviours.get(recorded.endpoint)
    const reply = behaviour ? await behaviour(recorded) : this.#wellBehaved(recorded)
    if (reply === 'hang') return
    if (reply === 'drop') {
      request.socket.destroy()
      return
    }
    if (reply === 'drip') {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"active":true,"issuer":"')
      return
    }
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
    response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {}))
  }

  #wellBehaved({ endpoint, form }: RecordedRequest): HostileReply {
    switch (endpoint) {
      case 'discovery':
        return { body: this.metadata() }
      case 'keys':
        return { body: this.keySet() }
      case 'token':
        return {
          body: {
            access_token: `token-${this.count('token')}`,
            token_type: 'Bearer',
            expires_in: 3600,
            ...(form.has('scope') && { scope: form.get('scope') }),
          },
        }
      case 'revoke':
        return { body: '' }
      case 'userinfo':
        return { body: { sub: '00u1', groups: ['Everyone'] } }
      case 'introspect':
      default:
        return { body: { active: true, sub: 'alice', scope: 'orders.read' } }
    }
  }
}

const keyPairs = new Map<string, ReturnType<typeof generateKeyPair>>()

/** RSA keys are slow to make, so servers of one test file share the n-th key of each algorithm. */
function keyPair(algorithm: string, kid: string): ReturnType<typeof generateKeyPair> {
  const name = `${algorithm} ${kid}`
  const made = keyPairs.get(name) ?? generateKeyPair(algorithm, { extractable: true })
  keyPairs.set(name, made)
  return made
}

const ENDPOINTS: readonly (readonly [suffix: string, endpoint: HostileEndpoint])[] = [
  ['/.well-known/openid-configuration', 'discovery'],
  ['/.well-known/oauth-authorization-server', 'discovery'],
  ['/v1/keys', 'keys'],
  ['/v1/token', 'token'],
  ['/v1/introspect', 'introspect'],
  ['/v1/userinfo', 'userinfo'],
  ['/v1/revoke', 'revoke'],
]

async function record(request: IncomingMessage): Promise<RecordedRequest | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const endpoint = ENDPOINTS.find(([suffix]) => request.url?.split('?')[0]?.endsWith(suffix))?.[1]
  if (!endpoint) return undefined
  const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
  return { endpoint, method: request.method ?? '', headers: request.headers, form }
}
