import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

type Head = Pick<
  IncomingMessage,
  'headers' | 'httpVersionMajor' | 'httpVersionMinor' | 'method' | 'rawHeaders' | 'url'
>

/** What is needed of a request, whichever HTTP it came over: node:http's `IncomingMessage`, or an `Http2Request`. */
export interface ClientRequest extends Readable, Head {
  /** The client's connection, which may carry other requests too. */
  readonly socket: IncomingMessage['socket']
  /** All of the body has come. */
  readonly complete: boolean
  /** Over HTTP/2 no field says that a body follows. */
  readonly bodyFollows?: boolean
}

/** Likewise of a response: node:http's `ServerResponse`, or an `Http2Response`. Header lists are names and values in turn. */
export interface ClientResponse extends EventEmitter {
  readonly statusCode: number
  readonly headersSent: boolean
  readonly destroyed: boolean
  readonly writableFinished: boolean
  /** `false`: the connection is closed once this response, and others under way on it, are over. */
  shouldKeepAlive: boolean
  /** `null`: others before it on the connection are not over. */
  readonly socket?: unknown
  writeHead(status: number, headers: string[]): unknown
  writeHead(status: number, phrase: string, headers: string[]): unknown
  writeInformation(status: number, headers: string[]): unknown
  flushHeaders(): void
  write(chunk: Buffer): boolean
  addTrailers(trailers: readonly [string, string][]): void
  end(body?: string): unknown
  /** Breaks off: the client sees that it has not got all. */
  destroy(): unknown
}

/** HTTP/1.0 knows neither interim responses nor that every request has a Host. */
export function speaksHttp10({ httpVersionMajor, httpVersionMinor }: ClientRequest): boolean {
  return httpVersionMajor === 1 && httpVersionMinor === 0
}
