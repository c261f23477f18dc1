import { addAbortSignal, Readable, type Writable } from 'node:stream'
import { OstiaryError } from '../errors.ts'
import type { ClientRequest } from './client-message.ts'
import { timeOut } from './upstream/time-out.ts'

/** How long a request body that nobody wants may still arrive before its connection is cut. */
const DISCARD_MS = 30_000

/** What a body may take. Absent members: as much as it likes. */
export interface UploadLimits {
  /** How long the upstream may take no byte. */
  readonly sendMs?: number | undefined
  /** Length of the body; more of it fails with ERR_BODY_TOO_LARGE. */
  readonly maximumBytes?: number | undefined
  /** How long the client may pause; longer fails with ERR_BODY_STALLED. */
  readonly stallMs: number
  /** A body that is no longer is kept, to be sent again. Absent: none is. */
  readonly keepBytes?: number | undefined
  /** Where every byte that comes is counted. */
  readonly counter?: { requestBytes: number }
  /** What an upload before this one has taken off the request and kept. */
  readonly begun?: readonly Buffer[] | undefined
}

/** Whether a body follows the header section (RFC 9112 §6.3). */
export function hasBody(request: ClientRequest): boolean {
  const length = request.headers['content-length']
  if (length !== undefined) return length !== '0'
  return request.headers['transfer-encoding'] !== undefined || request.bodyFollows === true
}

/**
 * The request's body as it goes upstream, with back-pressure. Stands between the two because undici destroys what it
 * is given, and a destroyed `IncomingMessage` takes the client's connection along.
 */
export class Upload extends Readable {
  /** Nothing was handed on: the body can still be sent from its beginning on another connection. */
  untouched = true
  readonly #request: ClientRequest
  readonly #sendMs: number | undefined
  readonly #stallMs: number
  #stall: NodeJS.Timeout | undefined
  #sending: NodeJS.Timeout | undefined
  /** Of a body whose length is not known, this is what may still come. */
  #bytesLeft: number
  readonly #counter: UploadLimits['counter']
  readonly #keepBytes: number
  #kept: Buffer[] | undefined
  #keptBytes = 0
  #begun: readonly Buffer[]
  #stream: Writable | undefined
  #waiting = false
  #detached = false

  constructor(request: ClientRequest, limits: UploadLimits) {
    super()
    const { sendMs, stallMs, maximumBytes = Infinity, keepBytes = 0, begun = [] } = limits
    this.#request = request
    this.#sendMs = sendMs
    this.#stallMs = stallMs
    this.#bytesLeft = maximumBytes
    this.#counter = limits.counter
    this.#keepBytes = keepBytes
    this.#kept = keepBytes > 0 ? [] : undefined
    this.#begun = begun
    // undici listens while it sends; an error after that must not end the thread.
    this.on('error', ignore)
  }

  /** All that was taken off the request so far, if it is kept; an upload after this one can begin with it. */
  get kept(): readonly Buffer[] | undefined {
    return this.#kept
  }

  /** The whole body can still be sent. */
  get repeatable(): boolean {
    return this.untouched || this.#kept !== undefined
  }

  override _read(): void {
    if (this.#detached) return
    clearTimeout(this.#sending)
    const request = this.#request
    if (this.#begun.length > 0) this.#sendBegun()
    if (request.readableEnded) {
      this.#end()
      return
    }
    if (this.#stall === undefined) {
      this.#stall = setTimeout(this.#stalled, this.#stallMs).unref()
      ignoreErrors(request)
      request.on('data', this.#data).on('end', this.#end).on('error', this.#failed).on('close', this.#closed)
    } else {
      this.#stall.refresh()
    }
    this.#waiting = true
    request.resume()
  }

  /** Over HTTP/2 undici pipes; over HTTP/1.1 it reads. */
  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    this.#stream = destination as unknown as Writable
    return super.pipe(destination, options)
  }

  /**
   * Resets the HTTP/2 stream that has not got all of the body (RFC 9113 §6.4, CANCEL). undici closes it, but node:http2
   * sends no RST_STREAM for a stream that is closed while it is written to: the upstream would work on.
   */
  resetStream(): void {
    const stream = this.#stream
    if (stream === undefined || stream.destroyed || stream.writableFinished) return
    addAbortSignal(AbortSignal.abort(), stream)
  }

  /** Stops reading. The request stays paused, for another upload or for `discardRest`. */
  detach(): void {
    // undici destroys an upload later on; by then the request may be in other hands.
    if (this.#detached) return
    this.#detached = true
    const request = this.#request
    clearTimeout(this.#stall)
    clearTimeout(this.#sending)
    request.pause()
    request
      .off('data', this.#data)
      .off('end', this.#end)
      .off('error', this.#failed)
      .off('close', this.#closed)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.detach()
    callback(error)
  }

  readonly #data = (chunk: Buffer): void => {
    if (this.#counter !== undefined) this.#counter.requestBytes += chunk.length
    this.#bytesLeft -= chunk.length
    if (this.#bytesLeft < 0) {
      this.destroy(new OstiaryError('ERR_BODY_TOO_LARGE', 'the request body is too large'))
      return
    }
    this.#keep(chunk)
    if (this.push(chunk)) {
      this.#stall?.refresh()
      return
    }
    // The upstream is slow, which is not the client's fault: the clock does not count until the next read.
    this.#waiting = false
    this.#request.pause()
    if (this.#sendMs !== undefined) this.#sending = setTimeout(this.#notTaken, this.#sendMs).unref()
  }

  #sendBegun(): void {
    const chunks = this.#begun
    this.#begun = []
    for (const chunk of chunks) {
      this.#bytesLeft -= chunk.length
      this.#keep(chunk)
      this.push(chunk)
    }
  }

  #keep(chunk: Buffer): void {
    this.untouched = false
    if (this.#kept === undefined) return
    this.#keptBytes += chunk.length
    if (this.#keptBytes > this.#keepBytes) this.#kept = undefined
    else this.#kept.push(chunk)
  }

  readonly #end = (): void => {
    this.untouched = false
    clearTimeout(this.#stall)
    this.push(null)
  }

  readonly #failed = (error: Error): void => {
    this.destroy(error)
  }

  readonly #closed = (): void => {
    if (!this.#request.complete) this.destroy(new Error('the client closed the connection inside its body'))
  }

  readonly #notTaken = (): void => {
    this.destroy(timeOut())
  }

  readonly #stalled = (): void => {
    if (this.#waiting) this.destroy(new OstiaryError('ERR_BODY_STALLED', 'the client paused inside its body'))
  }
}

function ignore(): void {}

/**
 * For whoever listens to a request for a while. node:http emits the error of a client that breaks off a tick after it has
 * seen that somebody listens: without anybody by then it would end the thread.
 */
export function ignoreErrors(request: ClientRequest): void {
  if (!request.listeners('error').includes(ignore)) request.on('error', ignore)
}

/**
 * Takes what is left of a body off the wire after the request was answered, so that the connection can carry the
 * next request. A client that does not come to an end is cut off. Over HTTP/2 the stream ends with its response.
 */
export function discardRest(request: ClientRequest): void {
  if (request.complete || request.bodyFollows !== undefined || !hasBody(request)) return
  const timer = setTimeout(() => request.socket.destroy(), DISCARD_MS).unref()
  request.once('close', () => clearTimeout(timer))
  request.resume()
}
