import type { Dispatcher } from 'undici'
import { messageOf } from '../../errors.ts'
import { speaksHttp10 } from '../client-message.ts'
import type { Exchange } from '../exchange.ts'
import { downstreamResponseHeaders } from '../response-headers.ts'

/** Nothing holds an upstream up that sends them without end: they would fill the memory where the client takes none. */
const MAXIMUM_INTERIM_RESPONSES = 16

/** Passes an interim response on, such as 103, unless there were many of them. */
export function relayInformation(
  exchange: Exchange,
  status: number,
  { rawHeaders }: Dispatcher.DispatchController,
): void {
  const { engine, request, response, rules } = exchange
  // HTTP/1.0 knows no interim responses (RFC 9110 §15.2).
  if (speaksHttp10(request) || exchange.interimResponses >= MAXIMUM_INTERIM_RESPONSES) return
  exchange.interimResponses += 1
  try {
    // What a route adds is for the response itself.
    const edits = rules?.responseEdits && { ...rules.responseEdits, fields: [] }
    response.writeInformation(status, downstreamResponseHeaders(rawHeaders, [], edits))
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
