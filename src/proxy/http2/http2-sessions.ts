import { METHODS, type IncomingHttpHeaders } from 'node:http'
import {
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { ClientLimits } from '../client-limits.ts'
import type { ClientRequest, ClientResponse } from '../client-message.ts'
import type { RefusedRequest } from '../early-refusal.ts'
import type { RefusalHandler } from '../listener.ts'
import { problem } from '../problem.ts'
import { Http2Request } from './http2-request.ts'
import { Http2Response } from './http2-response.ts'
import { readRequestHead, type RefusedHead } from './request-head.ts'

/** Requests that a connection may have under way; further ones are refused unseen (RFC 9113 §5.1.2). */
const STREAMS = 100
/** What a client may send ahead of its reader: kept in memory, for each request under way. */
const STREAM_WINDOW_BYTES = 131_072
/** For all requests of a connection: it is given back as bytes come, so that one that nobody reads holds none up. */
const CONNECTION_WINDOW_BYTES = 1_048_576
/** Above the limit of ours that is answered 431, so that clients learn why. */
const HEADER_LIST_FACTOR = 2
/** Least bytes of a field in a header list (RFC 9113 §6.5.2): no count of fields is met before the list is too large. */
const FIELD_BYTES = 32

/** Speaks HTTP/2 (RFC 9113) on connections that have negotiated it, and hands every request to one function. */
export class Http2Sessions {
  readonly #handle: (request: ClientRequest, response: ClientResponse) => void
  readonly #limits: ClientLimits
  readonly #onRefused: RefusalHandler
  readonly #options: ServerOptions
  readonly #open = new Set<ServerHttp2Session>()
  #goingAway = false

  constructor(
    handle: (request: ClientRequest, response: ClientResponse) => void,
    limits: ClientLimits,
    onRefused: RefusalHandler,
  ) {
    this.#handle = handle
    this.#onRefused = onRefused
    this.#limits = limits
    this.#options = sessionOptions(limits)
  }

  /** @param socket After its handshake, with nothing read from it. */
  take(socket: TLSSocket): void {
    const { headerTimeoutMs, keepAliveMs, maxHeaderBytes } = this.#limits
    const session = performServerHandshake(socket, this.#options)
    this.#open.add(session)
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    // What ends a connection ends its requests, and these say so.
    session.on('error', ignore)
    let underway = 0
    // Only requests count: whoever sends pings, or a header section that does not end, waits like one who is silent.
    let timer = setTimeout(end, headerTimeoutMs, session)
    session.on('stream', (stream, headers, _flags, fields: unknown) => {
      stream.on('error', ignore)
      // Reset by the very bytes that began it.
      if (stream.closed || stream.destroyed) return
      underway += 1
      clearTimeout(timer)
      stream.once('close', () => {
        underway -= 1
        if (underway === 0 && !session.destroyed) timer = setTimeout(end, keepAliveMs, session)
      })
      const response = new Http2Response(stream, headers[':method'] === 'HEAD')
      const head = readRequestHead(fields as readonly string[], headers, maxHeaderBytes)
      if (!head.ok) this.#refuse(socket, response, head, headers)
      else this.#begin(session, stream, response, new Http2Request(stream, head, socket))
    })
    session.once('close', () => {
      clearTimeout(timer)
      this.#open.delete(session)
    })
    if (this.#goingAway) session.close()
  }

  /**
   * Takes no more requests: GOAWAY names the last one that is served (RFC 9113 §6.8), so that clients send later ones
   * elsewhere. Connections end with their last request.
   */
  goAway(): void {
    this.#goingAway = true
    for (const session of this.#open) session.close()
  }

  /** Cuts every connection. */
  destroy(): void {
    for (const session of this.#open) session.destroy()
  }

  #begin(
    session: ServerHttp2Session,
    stream: ServerHttp2Stream,
    response: Http2Response,
    request: Http2Request,
  ): void {
    stream.once('aborted', () => stream.destroy())
    stream.once('close', () => request.destroy())
    response.once('finish', () => {
      if (!request.complete) request.abandon()
      if (!response.shouldKeepAlive) session.close()
    })
    this.#handle(request, response)
  }

  #refuse(
    socket: TLSSocket,
    response: Http2Response,
    { message, reason, status }: RefusedHead,
    headers: IncomingHttpHeaders,
  ): void {
    const own = problem(status, { message })
    const responseBytes = Buffer.byteLength(own.body)
    this.#onRefused({
      socket,
      protocol: 'HTTP/2',
      status,
      reason,
      responseBytes,
      head: refusedRequest(headers),
    })
    response.writeHead(own.status, own.headers)
    response.end(own.body)
  }
}

/** A method that nobody knows may be any text. */
function refusedRequest(headers: IncomingHttpHeaders): RefusedRequest {
  const { ':method': method = '', ':path': target = '' } = headers
  return { method: METHODS.includes(String(method)) ? String(method) : '', target: String(target), headers }
}

function sessionOptions({ maxHeaderBytes }: ClientLimits): ServerOptions {
  const maxHeaderListSize = HEADER_LIST_FACTOR * maxHeaderBytes
  return {
    settings: {
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: STREAMS,
      maxHeaderListSize,
    },
    maxHeaderListPairs: Math.ceil(maxHeaderListSize / FIELD_BYTES),
    // Upstreams repeat fields as they like; over HTTP/1.1 that passes, too.
    strictSingleValueFields: false,
  }
}

/** With GOAWAY, and at once: `close` would wait for a field section that does not end. */
function end(session: ServerHttp2Session): void {
  session.destroy()
}

function ignore(): void {}
