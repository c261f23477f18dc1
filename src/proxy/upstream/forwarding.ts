import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { messageOf } from '../../errors.ts'
import type { ForwardingSettings, RetryCondition } from '../../table/upstream-settings.ts'
import type { Exchange, Underway } from '../exchange.ts'
import { openTunnel } from '../open-tunnel.ts'
import { forwardableTrailers } from '../trailers.ts'
import { discardRest, type Upload } from '../upload.ts'
import {
  answerNoRoom,
  answerUpstreamFailure,
  failureOf,
  isConnectionLoss,
  type Failure,
} from '../upstream-failure.ts'
import { dispatchOptions } from './dispatch-options.ts'
import type {
  EndpointPool,
  UpstreamConnection,
  UpstreamDispatchOptions,
  UpstreamHandler,
} from './endpoint-pool.ts'
import type { PendingRequest } from './pending-requests.ts'
import { Placement } from './placement.ts'
import { relayInformation, responseHeaders, writeHead } from './relay-headers.ts'
import { uploadOf } from './request-body.ts'
import { ResponseBody } from './response-body.ts'
import { restEndpoint } from './rest-endpoint.ts'
import { conditionOfStatus, isIdempotent, Retries } from './retries.ts'
import type { UpstreamRotation } from './rotation.ts'
import { timeOut } from './time-out.ts'

/** One request at its upstream: undici's handler, and what becomes of the client's side meanwhile. */
export class Forwarding implements UpstreamHandler, Underway, PendingRequest {
  connection: UpstreamConnection | undefined
  readonly #exchange: Exchange
  readonly #rotation: UpstreamRotation
  readonly #settings: ForwardingSettings | undefined
  readonly #options: UpstreamDispatchOptions
  /** Where endpoints are chosen by more than their turn. */
  readonly #placement: Placement | undefined
  #pool: EndpointPool | undefined
  #upload: Upload | undefined
  #controller: Dispatcher.DispatchController | undefined
  /** The connection carried requests before this one. */
  #reused = false
  /** A byte of the response came. */
  #answered = false
  #retriedStale = false
  #retries: Retries | undefined
  /** The answer that comes is not wanted: the request is to be sent again. */
  #discarding = false
  /** Nothing more is to be said to the client. */
  #over = false
  #body: ResponseBody | undefined
  #stopClock: (() => void) | undefined
  #stopWaiting: (() => void) | undefined

  constructor(exchange: Exchange, rotation: UpstreamRotation, settings: ForwardingSettings | undefined) {
    this.#exchange = exchange
    this.#rotation = rotation
    this.#settings = settings
    this.#placement = Placement.needed(rotation, settings)
      ? new Placement(exchange, rotation, settings)
      : undefined
    this.#options = dispatchOptions(exchange, rotation.transport, settings)
  }

  send(): void {
    const { clock, timers } = this.#exchange.engine
    const now = clock.monotonic()
    this.#exchange.sentAt = now
    const limitMs = this.#settings?.requestTimeoutMs
    if (limitMs !== undefined) this.#stopClock = timers.after(limitMs, () => this.#expire())
    this.#place(now)
  }

  cancel(): void {
    this.#end()
    this.#upload?.resetStream()
    this.#controller?.abort(new Error('the client left'))
    this.#upload?.destroy()
  }

  resume(): void {
    this.#controller?.resume()
  }

  admit(): void {
    this.#stopWaiting?.()
    this.#stopWaiting = undefined
    this.#place(this.#exchange.engine.clock.monotonic())
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    const connection = this.connection
    if (connection !== undefined) {
      this.#reused = connection.requests > 0
      connection.requests += 1
    }
    if (this.#exchange.closed || this.#over) this.cancel()
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
    if (status >= 200) this.#exchange.upstreamStatus = status
    if (status === 101) controller.abort(new Error('the upstream switched to no protocol that was asked for'))
    else if (status < 200) relayInformation(this.#exchange, status, controller)
    else if (this.#settings?.retries !== undefined && this.#mayRetry(conditionOfStatus(status))) {
      this.#discarding = true
      controller.abort(new Error('the request is sent again'))
    } else this.#start(status, statusMessage, controller)
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#exchange.upstreamStatus = 101
    this.#observeUpstream()
    this.#stopClock?.()
    // The tunnel keeps its place among the endpoint's requests.
    socket.once('close', () => this.#placement?.leave())
    openTunnel(this.#exchange, socket, { headers, rawHeaders: controller.rawHeaders })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#exchange.responseBytes += chunk.length
    if (this.#body?.write(chunk) === true) return
    controller.pause()
    this.#exchange.resumeOnDrain()
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#end()
    this.#body?.end(forwardableTrailers(controller.rawTrailers))
    this.#exchange.ended()
    if (this.#upload === undefined) return
    // Answered before the body was in, as a 413 is: the rest of it goes nowhere.
    this.#upload.detach()
    this.#upload.resetStream()
    discardRest(this.#exchange.request)
  }

  onResponseError(controller: Dispatcher.DispatchController | null | undefined, error: Error): void {
    const exchange = this.#exchange
    this.#placement?.leave()
    if (exchange.closed || this.#over) return
    if (exchange.response.headersSent) {
      // The client must not take half a body for the whole.
      this.#end()
      exchange.reason = 'upstream_broke_off'
      exchange.response.destroy()
      return
    }
    this.#upload?.detach()
    if (this.#discarding) this.#sendAgain()
    else if (this.#isStale(error)) this.#sendOnFreshConnection()
    else this.#failed(error, controller !== null && controller !== undefined)
  }

  /** Finds an endpoint, or waits for one. */
  #place(now: number): void {
    const pool = this.#placement === undefined ? this.#rotation.next(now) : this.#placement.enter(now)
    if (pool === undefined) {
      this.#wait()
      return
    }
    this.#pool = pool
    this.#dispatch(pool, false)
  }

  /** Every endpoint carries all that it may. */
  #wait(): void {
    const { state, transport } = this.#rotation
    if (!state.pending.add(this, transport.maximumPending)) {
      this.#refuse()
      return
    }
    this.#stopWaiting = this.#exchange.engine.timers.after(transport.pendingMs, () => this.#refuse())
  }

  #refuse(): void {
    this.#end()
    answerNoRoom(this.#exchange)
  }

  #dispatch(pool: EndpointPool, fresh: boolean): void {
    this.#reused = false
    this.#controller = undefined
    this.#exchange.endpoint = pool
    this.#exchange.upstreamStatus = 0
    this.#exchange.attempts += 1
    this.#upload = uploadOf(this.#exchange, this.#settings, this.#rotation.transport, this.#upload)
    if (this.#upload !== undefined) this.#options.body = this.#upload
    try {
      if (fresh) pool.dispatchOnFreshConnection(this.#options, this)
      else pool.dispatch(this.#options, this)
    } catch (error) {
      // An address that is no origin: undici's pool refuses to be made.
      this.#end()
      answerUpstreamFailure(this.#exchange, error)
    }
  }

  /**
   * The server closed an idle connection while we wrote to it. Sent again once, on a new connection, where the server
   * cannot have acted on it: nothing was written yet, or the method is idempotent and there is no body.
   */
  #isStale(error: Error): boolean {
    if (this.#retriedStale || !this.#reused || this.#answered || !isConnectionLoss(error)) return false
    if (this.#upload !== undefined) return this.#upload.untouched
    return this.#options.body === null && isIdempotent(this.#options.method)
  }

  #sendOnFreshConnection(): void {
    this.#retriedStale = true
    const pool = this.#pool as EndpointPool
    this.#placement?.reenter(pool)
    this.#dispatch(pool, true)
  }

  /** @param begun undici had begun to send: else nothing of the request has left */
  #failed(error: Error, begun: boolean): void {
    const { engine, route } = this.#exchange
    const condition = failureOf(error, begun)
    // A connection that was idle may just have been at its end.
    if (
      condition === 'connect-failure' ||
      (condition === 'reset' && isConnectionLoss(error) && !this.#reused)
    ) {
      restEndpoint(this.#exchange, this.#pool as EndpointPool, error)
    }
    if (this.#mayRetry(condition)) {
      engine.log.debug({ route: route?.id, condition, error: messageOf(error) }, 'sent again')
      this.#sendAgain()
      return
    }
    this.#end()
    answerUpstreamFailure(this.#exchange, error)
  }

  #mayRetry(condition: RetryCondition | Failure | undefined): boolean {
    if (condition === undefined) return false
    const { engine, route, snapshot } = this.#exchange
    this.#retries ??= new Retries(engine, this.#rotation, this.#settings?.retries)
    const isRepeatable = this.#upload?.repeatable ?? true
    if (!this.#retries.allow({ condition, method: this.#options.method, isRepeatable })) return false
    snapshot.series(route).retried(condition)
    return true
  }

  #sendAgain(): void {
    this.#discarding = false
    this.#answered = false
    const { engine } = this.#exchange
    const retries = this.#retries as Retries
    const { pool, delayMs } = retries.next(this.#pool as EndpointPool)
    if (delayMs === 0) this.#sendTo(pool)
    else this.#stopWaiting = engine.timers.after(delayMs, () => this.#sendTo(pool))
  }

  #sendTo(pool: EndpointPool): void {
    this.#stopWaiting = undefined
    this.#pool = pool
    this.#placement?.reenter(pool)
    this.#dispatch(pool, false)
  }

  /** The request has taken all the time that it may. */
  #expire(): void {
    const { response } = this.#exchange
    if (response.headersSent) {
      this.#exchange.reason = 'upstream_timeout'
      response.destroy()
      return
    }
    this.cancel()
    answerUpstreamFailure(this.#exchange, timeOut())
  }

  /** From here on nothing is waited for, and the endpoint carries one less. */
  #end(): void {
    this.#over = true
    const { engine } = this.#exchange
    // Nobody else looks at it.
    if (engine.recorder !== undefined) this.#exchange.upstreamEndedAt = engine.clock.monotonic()
    this.#stopClock?.()
    this.#stopWaiting?.()
    if (this.#placement !== undefined) {
      this.#rotation.state.pending.delete(this)
      this.#placement.leave()
    }
  }

  #start(status: number, message: string | undefined, controller: Dispatcher.DispatchController): void {
    this.#observeUpstream()
    const pool = this.#pool as EndpointPool
    if (pool.failures > 0) pool.answered()
    const headers = responseHeaders(this.#exchange, controller)
    this.#placement?.addCookie(pool, headers)
    writeHead(this.#exchange, status, message, headers)
    this.#body = new ResponseBody(this.#exchange.response)
  }

  #observeUpstream(): void {
    const { engine, route, sentAt, snapshot } = this.#exchange
    const now = engine.clock.monotonic()
    this.#exchange.answeredAt = now
    snapshot.series(route).upstreamDuration.observe((now - sentAt) / 1000)
  }
}
