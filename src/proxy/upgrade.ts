import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { hasBody } from './upload.ts'

/** Takes an upgrade as an ordinary request whose response closes the connection, unless `switchProtocols` is sent. */
export type UpgradeHandler = (request: IncomingMessage, response: ServerResponse, socket: Socket) => void

const WEBSOCKET = /(?:^|,)[\t ]*websocket[\t ]*(?:,|$)/i

/**
 * Whether a request that has `Connection: upgrade` asks for a WebSocket (RFC 6455 §4.1). Any other upgrade is not
 * taken up (RFC 9110 §7.8), h2c above all: the requests inside such a connection would pass by every check. One with
 * a body is an ordinary request too, as servers differ on whether the body or the new protocol comes next.
 */
export function asksForWebSocket(request: IncomingMessage): boolean {
  const { headers, httpVersionMinor, method } = request
  return (
    method === 'GET' && httpVersionMinor === 1 && WEBSOCKET.test(headers.upgrade ?? '') && !hasBody(request)
  )
}

/**
 * Gives an upgrade, which node:http hands over as a bare socket, a response to be answered with. Bytes that came
 * behind the request are read from the socket first.
 */
export function takeUpgrade(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  handle: UpgradeHandler,
): void {
  socket.on('error', destroy)
  if (head.length > 0) socket.unshift(head)
  whenAnswered(socket, () => {
    // What remains of the time-out for idle connections.
    socket.setTimeout(0)
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    // node:http has stopped telling responses on this socket when the client takes more.
    socket.on('drain', () => {
      if (response.socket === socket) response.emit('drain')
    })
    response.once('finish', () => {
      if (response.socket === socket) socket.destroySoon()
    })
    handle(request, response, socket)
  })
}

/** Sends 101, and the bare socket is the caller's: after this call the response has nothing more to do with it. */
export function switchProtocols(response: ServerResponse, socket: Socket, headers: readonly string[]): void {
  response.writeHead(101, ['Connection', 'Upgrade', 'Upgrade', 'websocket', ...headers])
  response.end()
  response.detachSocket(socket)
}

/** A function of its own, as the socket keeps it longer than the request. */
function destroy(this: Socket): void {
  this.destroy()
}

/** A client may have sent requests before this one without waiting for their responses. */
function whenAnswered(socket: Socket, callback: () => void): void {
  const { _httpMessage: current } = socket as Socket & { _httpMessage?: ServerResponse | null }
  if (current !== undefined && current !== null) current.once('close', () => whenAnswered(socket, callback))
  else if (!socket.destroyed && socket.writable) callback()
}
