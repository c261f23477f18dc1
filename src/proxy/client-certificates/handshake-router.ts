import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls'
import { messageOf } from '../../errors.ts'
import type { ClientAuthorities } from '../../table/routing-table.ts'
import type { ProxyLog } from '../exchange.ts'
import { HANDSHAKE_TIMEOUT_MS, mutualTlsOptions, protocolsOf, type ServerNames } from '../server-names.ts'
import { askedFor } from './client-certificate.ts'
import { readClientHello } from './client-hello.ts'

export interface HandshakeRouterOptions {
  readonly names: ServerNames
  /** Whose certificates clients of a host are asked for. @param host Lower case; empty where none was named. */
  readonly authoritiesOf: (host: string) => ClientAuthorities | undefined
  readonly log: ProxyLog
}

/** Servers are made anew where so many others were used since. */
const MAXIMUM_SERVERS = 256

/**
 * Reads the name that a client asks for before its handshake, as node:tls asks for certificates by server and never by
 * name. Hosts with authorities have a TLS server of their own, which resumes no session: neither one of another host, nor
 * one whose certificate was revoked or has expired meanwhile. Its connections then are the HTTPS server's like any other.
 */
export class HandshakeRouter {
  readonly #options: HandshakeRouterOptions
  readonly #server: HttpsServer
  readonly #handshake: (socket: Socket) => void
  readonly #servers = new Map<string, TlsServer>()
  readonly #waiting = new Set<Socket>()

  /** Takes the connections of a server over. */
  constructor(server: HttpsServer, options: HandshakeRouterOptions) {
    this.#options = options
    this.#server = server
    // node:tls has put this one there, which begins a handshake.
    const [begin] = server.listeners('connection') as ((socket: Socket) => void)[]
    if (begin === undefined) throw new TypeError('the server is no TLS server')
    server.removeListener('connection', begin)
    this.#handshake = (socket) => begin.call(server, socket)
    server.on('connection', (socket: Socket) => this.#take(socket))
  }

  /** To be called when the default certificate is another one. */
  setSecureContext(): void {
    this.#servers.clear()
  }

  /** Cuts those who have not said yet what they want. */
  close(): void {
    for (const socket of this.#waiting) socket.destroy()
  }

  #take(socket: Socket): void {
    this.#waiting.add(socket)
    const received: Buffer[] = []
    let [receivedBytes, neededBytes] = [0, 0]
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT_MS)
    const giveUp = (): void => void socket.destroy()
    const stop = (): void => {
      clearTimeout(timer)
      this.#waiting.delete(socket)
      socket.off('readable', read).off('error', giveUp).off('end', giveUp).off('close', stop)
    }
    const read = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      received.push(chunk)
      receivedBytes += chunk.length
      // Not at every byte, which a client may send one by one.
      if (receivedBytes < neededBytes) return
      const bytes = received.length === 1 ? chunk : Buffer.concat(received)
      const hello = readClientHello(bytes)
      if (hello.kind === 'incomplete') {
        neededBytes = hello.neededBytes
        return
      }
      stop()
      socket.unshift(bytes)
      this.#begin(socket, hello.kind === 'read' ? hello.serverName : undefined)
    }
    socket.on('readable', read).on('error', giveUp).on('end', giveUp).on('close', stop)
  }

  #begin(socket: Socket, serverName: string | undefined): void {
    const authorities = serverName === undefined ? undefined : this.#options.authoritiesOf(hostOf(serverName))
    if (authorities === undefined) {
      this.#handshake(socket)
      return
    }
    const server = this.#serverFor(authorities)
    if (server === undefined) socket.destroy()
    else server.emit('connection', socket)
  }

  /** `undefined`: OpenSSL does not take them, so that nobody can show a certificate of theirs. */
  #serverFor(authorities: ClientAuthorities): TlsServer | undefined {
    const { id } = authorities
    const known = this.#servers.get(id)
    if (known !== undefined) return known
    try {
      const server = this.#create(authorities)
      if (this.#servers.size >= MAXIMUM_SERVERS) this.#servers.clear()
      this.#servers.set(id, server)
      return server
    } catch (error) {
      this.#options.log.error({ authorities: id, error: messageOf(error) }, 'client authorities refused')
      return undefined
    }
  }

  #create(authorities: ClientAuthorities): TlsServer {
    const { names } = this.#options
    const server = createTlsServer({
      ...mutualTlsOptions(names.defaultPair, authorities, names.settings),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: protocolsOf(names.settings),
      requestCert: true,
      // Refused by the route, in words: some routes of the host may take clients without a certificate.
      rejectUnauthorized: false,
      SNICallback: (serverName, callback) => callback(null, names.find(serverName, authorities)),
    })
    server.on('secureConnection', (socket: TLSSocket) => {
      askedFor(socket, authorities.id)
      this.#server.emit('secureConnection', socket)
    })
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.#server.emit('tlsClientError', error, socket)
    })
    return server
  }
}

/** As `readAuthority` gives hosts. */
function hostOf(serverName: string): string {
  return serverName.toLowerCase().replace(/\.$/, '')
}
