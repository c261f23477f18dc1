import { createServer, type AddressInfo, type Server } from 'node:net'
import { messageOf, OstiaryError } from '../errors.ts'

/** Where to listen. */
export interface ListenAddress {
  /** 0: any free port. */
  readonly port: number
  /** Default `::`: every address of IPv6 and IPv4, or of IPv4 alone where the machine has no IPv6. */
  readonly host?: string
  /** Several threads listen on this port (SO_REUSEPORT). */
  readonly reusePort?: boolean
}

const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])

/**
 * Listens, and says on which port.
 *
 * @throws OstiaryError ERR_LISTEN, naming address, port, reason and remedy
 */
export async function listen(server: Server, address: ListenAddress): Promise<number> {
  const host = address.host ?? '::'
  try {
    return await bind(server, address, host)
  } catch (error) {
    if (host !== '::' || !NO_IPV6.has(codeOf(error))) throw error
    return bind(server, address, '0.0.0.0')
  }
}

/**
 * Finds out whether somebody else has the port. With `reusePort` the system would share it with any process of the
 * same user, and take turns.
 *
 * @throws OstiaryError ERR_LISTEN
 */
export async function assertPortFree(address: ListenAddress): Promise<void> {
  if (address.port === 0) return
  const server = createServer()
  await listen(server, { ...address, reusePort: false })
  await close(server)
}

/** Whether threads can share a port here: not on macOS and Windows. */
export async function canReusePort(): Promise<boolean> {
  const server = createServer()
  try {
    await bind(server, { port: 0, reusePort: true }, '127.0.0.1')
  } catch {
    return false
  }
  await close(server)
  return true
}

function bind(server: Server, { port, reusePort }: ListenAddress, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      server.off('listening', onListening)
      reject(listenError(error, host, port))
    }
    const onListening = (): void => {
      server.off('error', onError)
      resolve((server.address() as AddressInfo).port)
    }
    server.once('error', onError).once('listening', onListening)
    server.listen({ port, host, ipv6Only: false, ...(reusePort === true && { reusePort }) })
  })
}

function listenError(error: Error, host: string, port: number): OstiaryError {
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new OstiaryError('ERR_LISTEN', `cannot listen on ${place}: ${explain(error)}`, { cause: error })
}

function explain(error: Error): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return 'another process has this port; stop that one, or choose another port'
    case 'EACCES':
      return 'not permitted; ports below 1024 need CAP_NET_BIND_SERVICE, or choose a higher port'
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address; choose one of its own'
    case 'ENOTFOUND':
      return 'the host name is unknown; give an address of this machine'
    default:
      return messageOf(error)
  }
}

function codeOf(error: unknown): string {
  const cause = error instanceof OstiaryError ? error.cause : error
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
