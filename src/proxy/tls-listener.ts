import type { Server as HttpsServer } from 'node:https'
import type { ClientLimits } from './client-limits.ts'
import { HandshakeRouter, type HandshakeRouterOptions } from './client-certificates/handshake-router.ts'
import { createListener, type Listener, type RequestHandler } from './listener.ts'
import { secureContextOptions } from './server-names.ts'

/** An HTTPS listener that asks for client certificates where a host wants them. */
export interface TlsListener extends Listener {
  /** To be called when the default certificate is another one. */
  setDefaultContext(): void
  /** Cuts the connections on which no handshake has begun. */
  closeWaiting(): void
}

export interface TlsListenerOptions extends HandshakeRouterOptions {
  readonly limits: ClientLimits
  /** 48 bytes that threads share, so that a TLS session made in one is resumed in another. */
  readonly ticketKeys?: Uint8Array
}

export async function createTlsListener(
  onRequest: RequestHandler,
  options: TlsListenerOptions,
): Promise<TlsListener> {
  const { limits, names, ticketKeys } = options
  const listener = await createListener(onRequest, limits, names)
  const server = listener.server as HttpsServer
  const router = new HandshakeRouter(server, options)
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
  }
  const closeWaiting = (): void => router.close()
  return { ...listener, closeUpgraded, closeWaiting, setDefaultContext }
}
