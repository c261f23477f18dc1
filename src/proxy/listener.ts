import type { IncomingMessage, Server as HttpServer, ServerOptions, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { fastify, type FastifyInstance } from 'fastify'
import type { ClientLimits } from './client-limits.ts'
import type { ClientRequest, ClientResponse } from './client-message.ts'
import type { EarlyRefusal, RefusedRequest } from './early-refusal.ts'
import { problem, statusPhrase } from './problem.ts'
import { HANDSHAKE_TIMEOUT_MS, protocolsOf, secureContextOptions, type ServerNames } from './server-names.ts'
import { asksForWebSocket, takeUpgrade } from './upgrade.ts'

/** An HTTP or HTTPS server that hands every request to one function. */
export interface Listener {
  readonly app: FastifyInstance
  readonly server: HttpServer | HttpsServer
  /** Takes no more requests over connections where clients can be told so before they send one. Absent: there are none. */
  goAway?(): void
  /** Cuts the connections that have been upgraded or ask for it, which the server counts but does not close. */
  closeUpgraded(): void
}

/** @param upgrading the client's socket, where the request asks for a WebSocket; see `takeUpgrade` */
export type RequestHandler = (request: ClientRequest, response: ClientResponse, upgrading?: Socket) => void

/** How often connections are looked at that let us wait for their fields. */
const CHECK_MS = 5_000

/** Of node:http: a header section that does not end. */
const REQUEST_TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT'
const HTTP1 = { protocol: 'HTTP/1.1' } as const

const SERVER_OPTIONS: ServerOptions = {
  // Uploads take as long as they take; a client that stalls inside one is cut off by `Upload`.
  requestTimeout: 0,
  // A missing Host is answered by the pipeline, in its words.
  requireHostHeader: false,
  optimizeEmptyRequests: true,
  // Every other one comes as an ordinary request.
  shouldUpgradeCallback: asksForWebSocket,
  noDelay: true,
}

function serverOptions({ headerTimeoutMs, maxHeaderBytes }: ClientLimits): ServerOptions {
  return {
    ...SERVER_OPTIONS,
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headerTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, headerTimeoutMs),
  }
}

/** Told of what is answered here, before anything of it is a request to be handled. */
export type RefusalHandler = (refusal: EarlyRefusal) => void

export interface ListenerOptions {
  readonly limits: ClientLimits
  /** Absent: plain HTTP. */
  readonly names?: ServerNames
  readonly onRefused: RefusalHandler
}

export async function createListener(handle: RequestHandler, options: ListenerOptions): Promise<Listener> {
  const { limits, onRefused } = options
  const app = createApp(options)
  await app.ready()
  const { server } = app
  // There are no routes. fastify would make a request and a reply of its own each time to find that out, which costs as
  // much as matching ours, and refuses some methods, content types and targets that are ours to judge.
  server.removeAllListeners('request')
  server.on('request', (request, response) => handle(request, response))
  // node:http would drop what is beyond its own limit without a word; the pipeline counts and refuses.
  server.maxHeadersCount = 0
  // 0 would let nobody in.
  if (limits.maxConnections > 0) server.maxConnections = limits.maxConnections
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response)
    server.emit('request', request, response)
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const own = problem(417)
    const { socket } = request
    const reason = 'unknown_expectation'
    onRefused({ ...HTTP1, socket, status: 417, reason, ...sizeOf(own.body), head: headOf(request) })
    // Whether the body comes all the same, nobody knows.
    response.shouldKeepAlive = false
    response.writeHead(own.status, own.headers).end(own.body)
  })
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    // node:http hands the bare socket over, without a listener for its errors.
    socket.on('error', () => socket.destroy())
    const own = problem(405, { message: 'CONNECT is not supported.' })
    onRefused({
      ...HTTP1,
      socket,
      status: 405,
      reason: 'connect',
      ...sizeOf(own.body),
      head: headOf(request),
    })
    socket.write(rawProblem(own))
    // Not `end`: nobody reads this socket, so that a client which stays would keep it for ever, and the drain with it.
    socket.destroySoon()
  })
  const upgraded = new Set<Socket>()
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    takeUpgrade(request, socket, head, handle)
  })
  const closeUpgraded = (): void => {
    for (const socket of upgraded) socket.destroy()
  }
  return { app, server, closeUpgraded }
}

function createApp(options: ListenerOptions): FastifyInstance {
  const { limits, names } = options
  const common = {
    logger: false,
    keepAliveTimeout: limits.keepAliveMs,
    requestTimeout: 0,
    connectionTimeout: 0,
    return503OnClosing: false,
    clientErrorHandler: (error: Error, socket: Socket) => answerClientError(error, socket, options),
  } as const
  if (names === undefined) return fastify({ ...common, http: serverOptions(limits) })
  return fastify({
    ...common,
    https: {
      ...serverOptions(limits),
      ...secureContextOptions(names.defaultPair, names.settings),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: protocolsOf(names.settings),
      SNICallback: (serverName, callback) => callback(null, names.find(serverName)),
    },
  })
}

/** Asks for the body (RFC 9110 §10.1.1) when somebody starts to read it: a refused request is not asked for one. */
function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read.bind(request)
  request._read = (size) => {
    request._read = read
    if (!response.headersSent) response.writeContinue()
    read(size)
  }
}

/** Bytes that are no request. Answered only where that cannot fall into the middle of another response. */
function answerClientError(
  error: Error & { code?: string },
  socket: Socket,
  { limits, onRefused }: ListenerOptions,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const { _httpMessage: response } = socket as Socket & { _httpMessage?: ServerResponse | null }
  const { status, message, reason } = describe(error.code, limits)
  const own = problem(status, { message })
  // Inside a request it is what leaving looks like, and its line says that.
  const hasLeft = error.code === 'HPE_INVALID_EOF_STATE' && response
  if (!hasLeft && isOfRequest(error.code, socket)) {
    onRefused({ ...HTTP1, socket, status, reason, ...sizeOf(own.body), response: response ?? undefined })
  }
  if (socket.writable && response?.headersSent !== true) socket.write(rawProblem(own))
  socket.destroy(error)
}

/** Browsers and load balancers open connections ahead, and scanners fail in handshakes: neither has asked for anything. */
function isOfRequest(code = '', { bytesRead }: Socket): boolean {
  return bytesRead > 0 && (code.startsWith('HPE_') || code === REQUEST_TIMEOUT)
}

function describe(
  code = '',
  { maxHeaderBytes }: ClientLimits,
): { readonly status: number; readonly reason: string; readonly message: string } {
  switch (code) {
    case REQUEST_TIMEOUT:
      return { status: 408, reason: 'header_timeout', message: 'The request took too long to arrive.' }
    case 'HPE_HEADER_OVERFLOW': {
      const message = `The request line and the fields are larger than ${maxHeaderBytes} bytes.`
      return { status: 431, reason: 'header_too_large', message }
    }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, reason: 'malformed', message: 'The chunk extensions are too large.' }
    default:
      return { status: 400, reason: 'malformed', message: 'This is no valid HTTP/1.1 request.' }
  }
}

function headOf({ headers, method = '', url: target = '' }: IncomingMessage): RefusedRequest {
  return { method, target, headers }
}

function sizeOf(body: string): { readonly responseBytes: number } {
  return { responseBytes: Buffer.byteLength(body) }
}

function rawProblem({ body, headers, status }: ReturnType<typeof problem>): string {
  let head = `HTTP/1.1 ${status} ${statusPhrase(status)}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${head}Connection: close\r\n\r\n${body}`
}
