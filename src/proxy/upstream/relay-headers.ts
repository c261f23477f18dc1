import type { Dispatcher } from 'undici'
import { messageOf } from '../../errors.ts'
import { speaksHttp10 } from '../client-message.ts'
import type { Exchange } from '../exchange.ts'
import { downstreamResponseHeaders } from '../response-headers.ts'

/** Passes an interim response on, such as 103. */
export function relayInformation(
  { engine, request, response }: Exchange,
  status: number,
  { rawHeaders }: Dispatcher.DispatchController,
): void {
  // HTTP/1.0 knows no interim responses (RFC 9110 §15.2).
  if (speaksHttp10(request)) return
  try {
    response.writeInformation(status, downstreamResponseHeaders(rawHeaders, []))
  } catch (error) {
    engine.log.debug({ status, error: messageOf(error) }, 'interim response dropped')
  }
}

/** The header list of the client's response. */
export function responseHeaders(
  { addedHeaders, rules }: Exchange,
  { rawHeaders }: Dispatcher.DispatchController,
): string[] {
  return downstreamResponseHeaders(rawHeaders, addedHeaders, rules?.responseEdits)
}

/** Begins the client's response; nothing is sent before the body is, or the headers are flushed. */
export function writeHead(
  { engine, response }: Exchange,
  status: number,
  message: string | undefined,
  headers: string[],
): void {
  if (engine.draining) response.shouldKeepAlive = false
  // A phrase says nothing to programs; one that is not ASCII comes garbled, and node:http refuses to write it.
  if (message === undefined || !/^[\t -~]+$/.test(message)) response.writeHead(status, headers)
  else response.writeHead(status, message, headers)
}
