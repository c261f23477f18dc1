import type { Server as HttpsServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { ClientLimits } from './client-limits.ts'
import { HandshakeRouter, type HandshakeRouterOptions } from './client-certificates/handshake-router.ts'
import { Http2Sessions } from './http2/http2-sessions.ts'
import { createListener, type Listener, type RefusalHandler, type RequestHandler } from './listener.ts'
import { secureContextOptions } from './server-names.ts'

/** An HTTPS listener, of HTTP/2 too, that asks for client certificates where a host wants them. */
export interface TlsListener extends Listener {
  /** To be called when the default certificate is another one. */
  setDefaultContext(): void
  /** Cuts the connections on which no handshake has begun. */
  closeWaiting(): void
}

export interface TlsListenerOptions extends HandshakeRouterOptions {
  readonly limits: ClientLimits
  readonly onRefused: RefusalHandler
  /** 48 bytes that threads share, so that a TLS session made in one is resumed in another. */
  readonly ticketKeys?: Uint8Array
}

export async function createTlsListener(
  onRequest: RequestHandler,
  options: TlsListenerOptions,
): Promise<TlsListener> {
  const { limits, names, onRefused, ticketKeys } = options
  const listener = await createListener(onRequest, { limits, names, onRefused })
  const server = listener.server as HttpsServer
  const router = new HandshakeRouter(server, options)
  const sessions = new Http2Sessions(onRequest, limits, onRefused)
  divide(server, sessions)
  const setDefaultContext = (): void => {
    router.setSecureContext()
    server.setSecureContext({
      ...secureContextOptions(names.defaultPair, names.settings),
      // Without them every call would end all TLS sessions.
      ...(ticketKeys !== undefined && { ticketKeys: Buffer.from(ticketKeys) }),
    })
  }
  setDefaultContext()
  const closeUpgraded = (): void => {
    listener.closeUpgraded()
    router.close()
    sessions.destroy()
  }
  const closeWaiting = (): void => router.close()
  const goAway = (): void => sessions.goAway()
  return { ...listener, goAway, closeUpgraded, closeWaiting, setDefaultContext }
}

/** Gives the connections that have negotiated HTTP/2 to its sessions; the others stay with node:http. */
function divide(server: HttpsServer, sessions: Http2Sessions): void {
  const [serveHttp1] = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
  if (serveHttp1 === undefined) throw new TypeError('the server is no HTTPS server')
  server.removeListener('secureConnection', serveHttp1)
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') sessions.take(socket)
    else serveHttp1.call(server, socket)
  })
}
