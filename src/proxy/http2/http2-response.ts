import { EventEmitter } from 'node:events'
import { validateHeaderName } from 'node:http'
import { type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { ClientResponse } from '../client-message.ts'
import { isHopByHop } from '../hop-by-hop.ts'
import { resetStream } from './reset-stream.ts'

/** Without a body (RFC 9110 §15). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

// oxlint-disable-next-line no-control-regex -- they are what must not be there
const INVALID_VALUE = /[\0-\x08\x0a-\x1f\x7f]|[^\0-\xff]/

/**
 * A response on an HTTP/2 stream as the pipeline writes responses. Header sections are sent with the first byte of the
 * body, or when they are flushed; a Trailers-Only response of gRPC waits for its end instead, as its clients take it for
 * one only where nothing follows. Emits `drain`, `finish` when all of it was handed to the connection, and `close`.
 */
export class Http2Response extends EventEmitter implements ClientResponse {
  statusCode = 200
  headersSent = false
  shouldKeepAlive = true
  readonly #stream: ServerHttp2Stream
  #headers: string[] = []
  #hasBody: boolean
  #begun = false
  #ended = false
  #trailersOnly = false
  #lengthKnown = false
  #trailers: OutgoingHttpHeaders = {}
  #hasTrailers = false
  #waitsForTrailers = false

  /** @param isHead The request's method is HEAD. */
  constructor(stream: ServerHttp2Stream, isHead: boolean) {
    super()
    this.#stream = stream
    this.#hasBody = !isHead
    stream.on('drain', () => this.emit('drain'))
    stream.once('close', () => this.emit('close'))
  }

  get destroyed(): boolean {
    return this.#stream.closed || this.#stream.destroyed
  }

  get writableFinished(): boolean {
    // node:http2 ends the stream of a HEAD request by itself, at its beginning.
    return this.#ended && this.#stream.writableFinished
  }

  /**
   * Takes the list over. The phrase is not sent.
   *
   * @throws RangeError for a status or a value that HTTP/2 cannot carry, ERR_INVALID_HTTP_TOKEN for such a name
   */
  writeHead(status: number, phrase: string | string[], headers: string[] = []): void {
    if (status < 200 || status > 599) throw new RangeError('the status is none of a final response')
    const sent = [':status', String(status)]
    const list = typeof phrase === 'string' ? headers : phrase
    for (let i = 0; i < list.length; i += 2) this.#add(sent, list[i] ?? '', list[i + 1] ?? '')
    this.#headers = sent
    this.statusCode = status
    this.headersSent = true
    if (BODILESS.has(status)) this.#hasBody = false
  }

  /** @throws As `writeHead` does. */
  writeInformation(status: number, headers: string[]): void {
    if (this.destroyed || this.headersSent) return
    this.#stream.additionalHeaders({ ...byName(headers), ':status': status })
  }

  flushHeaders(): void {
    if (!this.#trailersOnly) this.#begin(false)
  }

  write(chunk: Buffer): boolean {
    this.#begin(false)
    // Nobody waits for a stream that is gone.
    if (!this.#hasBody || this.destroyed) return true
    return this.#stream.write(chunk)
  }

  addTrailers(trailers: readonly [string, string][]): void {
    if (!this.#hasBody || trailers.length === 0) return
    this.#trailers = byName(trailers.flat())
    this.#hasTrailers = true
  }

  end(body = ''): void {
    if (this.#ended) return
    this.#ended = true
    const stream = this.#stream
    const content = this.#hasBody ? body : ''
    this.#begin(content === '' && !this.#hasTrailers)
    if (this.destroyed) return
    if (content === '') stream.end()
    else stream.end(content)
    if (this.#waitsForTrailers) return
    if (stream.writableFinished) this.#finished()
    else stream.once('finish', () => this.#finished())
  }

  destroy(): void {
    resetStream(this.#stream, 'internal error')
  }

  #add(sent: string[], name: string, value: string): void {
    const lowerCase = name.toLowerCase()
    if (isHopByHop(lowerCase)) return
    // Here, as for HTTP/1.1: where node:http2 does, nobody is left who could answer.
    validateHeaderName(lowerCase)
    if (INVALID_VALUE.test(value)) throw new RangeError(`the value of ${lowerCase} cannot be sent`)
    if (lowerCase === 'grpc-status') this.#trailersOnly = true
    else if (lowerCase === 'content-length') this.#lengthKnown = true
    sent.push(lowerCase, value)
  }

  /** @param endStream Nothing follows. */
  #begin(endStream: boolean): void {
    if (this.#begun || this.destroyed) return
    this.#begun = true
    const stream = this.#stream
    // They cost a frame of their own: none is expected behind a body of known length.
    const mayGetTrailers = this.#hasTrailers || (!this.#lengthKnown && !this.#ended)
    const waitForTrailers = this.#hasBody && !endStream && mayGetTrailers
    this.#waitsForTrailers = waitForTrailers
    if (waitForTrailers) stream.once('wantTrailers', this.#sendTrailers)
    stream.respond(this.#headers, { endStream, waitForTrailers })
  }

  readonly #sendTrailers = (): void => {
    this.#stream.sendTrailers(this.#trailers)
    this.#finished()
  }

  /** node:http2 sends what it has been given in its own next turn. */
  #finished(): void {
    setImmediate(() => this.emit('finish'))
  }
}

/** Names and values in turn as node:http2 takes trailers and interim responses. */
function byName(list: readonly string[]): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {}
  for (let i = 0; i < list.length; i += 2) {
    const name = (list[i] ?? '').toLowerCase()
    const value = list[i + 1] ?? ''
    if (INVALID_VALUE.test(value)) throw new RangeError(`the value of ${name} cannot be sent`)
    if (isHopByHop(name)) continue
    validateHeaderName(name)
    headers[name] = [...(headers[name] ?? []), value]
  }
  return headers
}
