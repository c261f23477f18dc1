import type { RequestFacts } from '../auth/request-facts.ts'
import type { ClientRequest } from './client-message.ts'
import { bufferedForm, type BufferedForm } from './form-body.ts'
import type { RequestAuthority } from './request-authority.ts'
import type { RequestTarget } from './request-target.ts'
import type { ConnectionView } from './trusted-proxies.ts'

/** A request's facts, and what became of its body. */
export interface ProxyRequestFacts extends RequestFacts {
  /** The whole body where `form()` has read it: send this upstream, the request has nothing more to give. */
  readonly bufferedBody: Buffer | undefined
}

/** What is different from the request as it came, once a login was completed with it. */
export interface FactChanges {
  readonly cookieHeader: string
}

/**
 * The facts of a request whose authority and target were accepted. Nothing is parsed or read before it is asked for.
 */
export function createRequestFacts(
  request: ClientRequest,
  authority: RequestAuthority,
  target: RequestTarget,
  view: ConnectionView,
  changes?: FactChanges,
): ProxyRequestFacts {
  const facts = new IncomingRequestFacts(request, authority, target, view)
  if (changes !== undefined) facts.changedHeaders = { ...request.headers, cookie: changes.cookieHeader }
  return facts
}

class IncomingRequestFacts implements ProxyRequestFacts {
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly authority: string
  readonly target: string
  readonly path: string
  readonly query: string
  readonly clientAddress: string
  bufferedBody: Buffer | undefined
  changedHeaders: RequestFacts['headers'] | undefined
  readonly #request: ClientRequest
  #form: Promise<BufferedForm> | undefined

  constructor(
    request: ClientRequest,
    authority: RequestAuthority,
    target: RequestTarget,
    view: ConnectionView,
  ) {
    this.#request = request
    this.method = request.method ?? ''
    this.scheme = view.scheme
    this.host = authority.host
    this.authority = authority.authority
    this.target = authority.target
    this.path = target.path
    this.query = target.query
    this.clientAddress = view.clientAddress
    this.bufferedBody = undefined
    this.changedHeaders = undefined
  }

  get headers(): RequestFacts['headers'] {
    return this.changedHeaders ?? this.#request.headers
  }

  async form(): Promise<URLSearchParams | undefined> {
    this.#form ??= bufferedForm(this.#request)
    const { params, bytes } = await this.#form
    this.bufferedBody = bytes
    return params
  }
}
