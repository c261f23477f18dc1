import type { IncomingHttpHeaders } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { ClientRequest } from '../client-message.ts'
import type { RequestHead } from './request-head.ts'
import { resetStream } from './reset-stream.ts'

/**
 * A request of an HTTP/2 stream as the pipeline reads requests. Its body is read from the stream when somebody reads
 * the request, with back-pressure on this one stream (RFC 9113 §5.2). Trailers are dropped. Emits no errors: a client that
 * breaks off closes it before it is complete.
 */
export class Http2Request extends Readable implements ClientRequest {
  readonly httpVersionMajor = 2
  readonly httpVersionMinor = 0
  readonly method: string
  readonly url: string
  readonly rawHeaders: string[]
  readonly headers: IncomingHttpHeaders
  readonly socket: TLSSocket
  readonly bodyFollows: boolean
  complete: boolean
  readonly #stream: ServerHttp2Stream
  #reading = false

  /** @param socket The connection itself: that of node:http2's session is a stand-in. */
  constructor(stream: ServerHttp2Stream, head: RequestHead, socket: TLSSocket) {
    super()
    this.#stream = stream
    this.socket = socket
    this.method = head.method
    this.url = head.target
    this.rawHeaders = head.rawHeaders
    this.headers = head.headers
    this.bodyFollows = !stream.endAfterHeaders
    this.complete = stream.endAfterHeaders
  }

  override _read(): void {
    if (this.complete) this.push(null)
    else if (this.#reading) this.#stream.resume()
    else this.#begin()
  }

  /** Resets the stream, unless all of the body has come. */
  override _destroy(_error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stream.off('data', this.#data).off('end', this.#end)
    if (!this.complete) resetStream(this.#stream, 'cancel')
    callback()
  }

  /** Asks for no more of the body, once the response is over (RFC 9113 §8.1). */
  abandon(): void {
    const stream = this.#stream
    stream.off('data', this.#data).off('end', this.#end)
    if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR)
    // Else what has been received would keep the stream.
    stream.resume()
  }

  #begin(): void {
    this.#reading = true
    const stream = this.#stream
    if (stream.closed || stream.destroyed) return
    // RFC 9110 §10.1.1; a request that is refused unread is not asked for its body.
    if (this.headers.expect !== undefined && !stream.headersSent) {
      stream.additionalHeaders({ ':status': 100 })
    }
    // It ends by itself where no byte came.
    if (stream.readableEnded) this.#end()
    else stream.on('data', this.#data).on('end', this.#end)
  }

  readonly #data = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#stream.pause()
  }

  readonly #end = (): void => {
    // node:http2 ends a stream that the client has reset without an error, too: half a body must not pass for the whole.
    if (this.#stream.closed) return
    this.complete = true
    this.push(null)
  }
}
