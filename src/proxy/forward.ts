import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { messageOf } from '../errors.ts'
import type { Exchange, Underway } from './exchange.ts'
import { withoutParameters } from './parameters.ts'
import { respondProblem } from './respond.ts'
import { downstreamResponseHeaders } from './response-headers.ts'
import { forwardableTrailers } from './trailers.ts'
import { discardRest, hasBody, Upload } from './upload.ts'
import { openTunnel } from './open-tunnel.ts'
import { answerUpstreamFailure, isConnectionLoss } from './upstream-failure.ts'
import { upstreamRequestHeaders } from './upstream-headers.ts'
import type { EndpointPool, UpstreamConnection, UpstreamHandler } from './upstream-pools.ts'

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/**
 * Sends an authorized request to an endpoint of its route's upstream and streams the answer back. Without an
 * endpoint: 503. For failures see `answerUpstreamFailure`; a body that breaks half-way ends the client's connection.
 */
export function forward(exchange: Exchange): void {
  const pool = exchange.snapshot.rotation(exchange.action.upstream).next()
  if (pool === undefined) {
    respondProblem(exchange, 503, {
      message: 'The service behind this route has no ready endpoint.',
      reason: 'no_endpoint',
      headers: [['Retry-After', '5']],
    })
    return
  }
  const forwarding = new Forwarding(exchange, pool)
  exchange.underway = forwarding
  forwarding.send()
}

/** One request at its upstream: undici's handler, and what becomes of the client's side meanwhile. */
class Forwarding implements UpstreamHandler, Underway {
  connection: UpstreamConnection | undefined
  readonly #exchange: Exchange
  readonly #pool: EndpointPool
  readonly #options: Dispatcher.DispatchOptions
  #upload: Upload | undefined
  #controller: Dispatcher.DispatchController | undefined
  #sentAt = 0
  /** The connection carried requests before this one. */
  #reused = false
  /** A byte of the response came. */
  #answered = false
  #retried = false
  #flushed = false

  constructor(exchange: Exchange, pool: EndpointPool) {
    this.#exchange = exchange
    this.#pool = pool
    this.#options = this.#dispatchOptions()
  }

  send(): void {
    this.#sentAt = this.#exchange.engine.clock.monotonic()
    this.#dispatch(false)
  }

  cancel(): void {
    this.#controller?.abort(new Error('the client left'))
    this.#upload?.destroy()
  }

  resume(): void {
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    const connection = this.connection
    if (connection !== undefined) {
      this.#reused = connection.requests > 0
      connection.requests += 1
    }
    if (this.#exchange.closed) this.cancel()
  }

  onResponseStarted(): void {
    this.#answered = true
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    if (status === 101) controller.abort(new Error('the upstream switched to no protocol that was asked for'))
    else if (status < 200) this.#inform(status, controller)
    else this.#start(status, statusMessage, controller)
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#observeUpstream()
    openTunnel(this.#exchange, socket, { headers, rawHeaders: controller.rawHeaders })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#flushed = true
    if (this.#exchange.response.write(chunk)) return
    controller.pause()
    this.#exchange.resumeOnDrain()
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const { request, response } = this.#exchange
    this.#flushed = true
    const trailers = controller.rawTrailers
    if (Array.isArray(trailers) && trailers.length > 0) response.addTrailers(forwardableTrailers(trailers))
    response.end()
    if (this.#upload === undefined) return
    // Answered before the body was in, as a 413 is: the rest of it goes nowhere.
    this.#upload.detach()
    discardRest(request)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const exchange = this.#exchange
    if (exchange.closed) return
    if (exchange.response.headersSent) {
      // The client must not take half a body for the whole.
      exchange.response.destroy()
      return
    }
    this.#upload?.detach()
    if (this.#maySendAgain(error)) {
      this.#retried = true
      this.#dispatch(true)
      return
    }
    answerUpstreamFailure(exchange, error)
  }

  #dispatch(fresh: boolean): void {
    this.#reused = false
    const { request } = this.#exchange
    if (this.#exchange.bufferedBody === undefined && hasBody(request)) {
      this.#upload = new Upload(request)
      this.#options.body = this.#upload
    }
    try {
      if (fresh) this.#pool.dispatchOnFreshConnection(this.#options, this)
      else this.#pool.dispatch(this.#options, this)
    } catch (error) {
      // An address that is no origin: undici's pool refuses to be made.
      answerUpstreamFailure(this.#exchange, error)
    }
  }

  /**
   * The server closed an idle connection while we wrote to it. Sent again once, on a new connection, where the server
   * cannot have acted on it: nothing was written yet, or the method is idempotent and there is no body.
   */
  #maySendAgain(error: Error): boolean {
    if (this.#retried || !this.#reused || this.#answered || !isConnectionLoss(error)) return false
    if (this.#upload !== undefined) return this.#upload.untouched
    return this.#options.body === null && IDEMPOTENT.has(this.#options.method)
  }

  #inform(status: number, controller: Dispatcher.DispatchController): void {
    const { request, response } = this.#exchange
    // HTTP/1.0 knows no interim responses (RFC 9110 §15.2).
    if (request.httpVersionMinor === 0) return
    try {
      response.writeInformation(status, downstreamResponseHeaders(controller.rawHeaders, []))
    } catch (error) {
      this.#exchange.engine.log.debug({ status, error: messageOf(error) }, 'interim response dropped')
    }
  }

  #start(status: number, message: string | undefined, controller: Dispatcher.DispatchController): void {
    const { engine, response, addedHeaders } = this.#exchange
    this.#observeUpstream()
    const headers = downstreamResponseHeaders(controller.rawHeaders, addedHeaders)
    if (engine.draining) response.shouldKeepAlive = false
    // A phrase says nothing to programs; one that is not ASCII comes garbled, and node:http refuses to write it.
    if (message === undefined || !/^[\t -~]+$/.test(message)) response.writeHead(status, headers)
    else response.writeHead(status, message, headers)
    // Headers go out with the first bytes of the body, or alone where none came with them, as with server-sent events.
    process.nextTick(flushHeaders, this)
  }

  #observeUpstream(): void {
    const { engine, route, snapshot } = this.#exchange
    snapshot.series(route).upstreamDuration.observe((engine.clock.monotonic() - this.#sentAt) / 1000)
  }

  flushHeaders(): void {
    if (this.#flushed) return
    this.#flushed = true
    this.#exchange.response.flushHeaders()
  }

  #dispatchOptions(): Dispatcher.DispatchOptions {
    const { request, allow } = this.#exchange
    const body = this.#body()
    const headers = upstreamRequestHeaders({
      rawHeaders: request.rawHeaders,
      connectionView: this.#exchange.view,
      authority: this.#exchange.authority.authority,
      removeHeaders: this.#exchange.route?.removeHeaders ?? [],
      ...(allow !== undefined && { edits: allow }),
      ...(body !== null && { bodyReplaced: body.byteLength }),
    })
    const method = request.method ?? ''
    return {
      path: this.#path(),
      method,
      headers,
      body,
      ...(this.#exchange.upgrading !== undefined && { upgrade: 'websocket' }),
      // undici closes the connection after each HEAD unless it is told that the server knows what HEAD is.
      ...(method === 'HEAD' && { reset: false }),
    }
  }

  #path(): string {
    const { allow, authority, target } = this.#exchange
    if (allow === undefined || allow.removeQuery.length === 0) return authority.target
    const question = authority.target.indexOf('?')
    if (question === -1) return authority.target
    const query = withoutParameters(target.query, allow.removeQuery)
    const path = authority.target.slice(0, question)
    return query === '' ? path : `${path}?${query}`
  }

  #body(): Buffer | null {
    const { allow, bufferedBody } = this.#exchange
    if (bufferedBody === undefined) return null
    if (allow === undefined || allow.removeForm.length === 0) return bufferedBody
    return Buffer.from(withoutParameters(bufferedBody.toString('latin1'), allow.removeForm), 'latin1')
  }
}

function flushHeaders(forwarding: Forwarding): void {
  forwarding.flushHeaders()
}
