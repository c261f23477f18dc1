import { createHash } from 'node:crypto'
import type { RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import { Agent, ProxyAgent, type Dispatcher } from 'undici'
import { OstiaryError } from '../../errors.ts'
import { toApiServerError } from './api-server-error.ts'

/** A request to the API server. */
export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH'
  /** Absolute, without the server's own prefix. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** How a PATCH is meant, for which there is no default; default `application/json`. */
  readonly contentType?: 'application/apply-patch+yaml' | 'application/merge-patch+json'
  readonly signal: AbortSignal
  /** Time between two pieces of the answer's body; default as the ApiServer has it. */
  readonly bodyTimeoutMs?: number
}

interface Connection {
  readonly config: KubeConfig
  readonly generation: number
}

interface TlsMaterial {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

const CONNECT_TIMEOUT_MS = 10_000
/** Shorter than the idle timeouts of load balancers, so that a dead peer is noticed. */
const KEEP_ALIVE_PROBE_MS = 30_000
/** Errors are small; what is longer is not read. */
const MAX_ERROR_BYTES = 65_536

/**
 * One API server, with the credentials of a kubeconfig and one pool of connections for all requests. client-node would
 * make a new agent, thus a new connection, for every call. Credentials are applied anew to each request, so tokens and
 * certificates that rotate on disk are followed.
 */
export class ApiServer {
  readonly #load: () => KubeConfig
  readonly #stallMs: number
  #connection: Connection | undefined
  #pool: { readonly fingerprint: string; readonly dispatcher: Dispatcher } | undefined

  /**
   * @param load Called at the first request and after a refusal of the credentials.
   * @param stallMs An answer that does not begin, or does not go on, for so long is given up; default 30 s.
   */
  constructor(load: () => KubeConfig, stallMs = 30_000) {
    this.#load = load
    this.#stallMs = stallMs
  }

  /**
   * Sends a request and gives the body of a 2xx answer, which the caller reads or destroys.
   *
   * @throws ApiServerError when the answer is any other; the credentials are read anew after 401.
   */
  async send(request: ApiRequest): Promise<Dispatcher.ResponseData['body']> {
    const { config, generation } = this.#connect()
    const { headers, tls } = await credentialsOf(config)
    const { origin, prefix } = serverOf(config)
    const query = new URLSearchParams(request.query).toString()
    const hasBody = request.body !== undefined
    const response = await this.#poolFor(config, tls).request({
      origin,
      path: prefix + request.path + (query === '' ? '' : `?${query}`),
      method: request.method ?? 'GET',
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': 'ostiary',
        ...(hasBody && { 'content-type': request.contentType ?? 'application/json' }),
      },
      ...(hasBody && { body: JSON.stringify(request.body) }),
      signal: request.signal,
      headersTimeout: this.#stallMs,
      bodyTimeout: request.bodyTimeoutMs ?? this.#stallMs,
    })
    if (response.statusCode >= 200 && response.statusCode < 300) return response.body
    if (response.statusCode === 401) this.#forgetCredentials(generation)
    const retryAfter = response.headers['retry-after']
    const status = await readStatus(response.body)
    throw toApiServerError(
      status,
      response.statusCode,
      typeof retryAfter === 'string' ? retryAfter : undefined,
    )
  }

  /** As {@link send}, with the whole body as parsed JSON. */
  async json(request: ApiRequest): Promise<unknown> {
    const body = await this.send(request)
    try {
      return await body.json()
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      throw new OstiaryError('ERR_SOURCE_UNAVAILABLE', 'the API server answered something that is no JSON')
    }
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    await this.#pool?.dispatcher.destroy()
    this.#pool = undefined
  }

  #connect(): Connection {
    this.#connection ??= { config: this.#load(), generation: 0 }
    return this.#connection
  }

  /**
   * client-node keeps a token file's content for a minute, and an exec plugin's token until it expires; a fresh
   * configuration has neither. Of many requests that were refused at once only the first gets here with the current
   * generation.
   */
  #forgetCredentials(generation: number): void {
    if (this.#connection?.generation !== generation) return
    this.#connection = { config: this.#load(), generation: generation + 1 }
  }

  /** A new pool only where the certificates changed; streams on the old one run to their end. */
  #poolFor(config: KubeConfig, tls: TlsMaterial): Dispatcher {
    const proxy = config.getCurrentCluster()?.proxyUrl
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([proxy, tls]))
      .digest('base64')
    if (this.#pool?.fingerprint === fingerprint) return this.#pool.dispatcher
    const old = this.#pool?.dispatcher
    this.#pool = { fingerprint, dispatcher: createDispatcher(tls, proxy) }
    old?.close().catch(() => {})
    return this.#pool.dispatcher
  }
}

/** HTTP/1.1: each watch has its own connection, and none waits for the flow-control window that another filled. */
function createDispatcher(tls: TlsMaterial, proxy: string | undefined): Dispatcher {
  const connect = {
    ...tls,
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
  }
  if (proxy === undefined) return new Agent({ allowH2: false, connect })
  if (!/^https?:/.test(proxy)) {
    throw new OstiaryError(
      'ERR_SOURCE_UNAVAILABLE',
      'the kubeconfig names a proxy that is not http or https, which is not supported',
    )
  }
  return new ProxyAgent({ uri: proxy, allowH2: false, requestTls: connect })
}

function serverOf(config: KubeConfig): { readonly origin: string; readonly prefix: string } {
  const url = new URL(config.getCurrentCluster()?.server ?? '')
  return { origin: url.origin, prefix: url.pathname.replace(/\/$/, '') }
}

async function credentialsOf(
  config: KubeConfig,
): Promise<{ readonly headers: Record<string, string>; readonly tls: TlsMaterial }> {
  const options: RequestOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
  } catch (error) {
    // An exec plugin's error is its standard error, whatever that holds.
    const code = (error as NodeJS.ErrnoException).code ?? 'the authentication plugin failed'
    throw new OstiaryError(
      'ERR_SOURCE_UNAVAILABLE',
      `the credentials for the API server cannot be read (${code})`,
    )
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {}))
    headers[name.toLowerCase()] = String(value).trim()
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
  }
  return { headers, tls: tlsOf(options) }
}

function tlsOf(options: RequestOptions): TlsMaterial {
  const { ca, cert, key, servername, rejectUnauthorized } = options as TlsMaterial
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  }
}

async function readStatus(body: Dispatcher.ResponseData['body']): Promise<unknown> {
  let text = ''
  for await (const chunk of body.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > MAX_ERROR_BYTES) break
  }
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
