import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const LOOPBACK = ['127.0.0.1', '::1'] as const

/** Session cookies of several applications on localhost add up beyond Node's 16 KiB. */
const MAX_HEADER_BYTES = 64 * 1024

/** Servers on one port of several addresses. */
export interface Listening {
  readonly port: number
  /** Stops, dropping open connections. */
  close(): Promise<void>
}

/**
 * Listens on a port of `localhost`, in IPv4 and, where the machine has it, IPv6.
 *
 * @param port 0 picks one that is free in both.
 * @param hosts Addresses instead of the two of localhost.
 * @throws {Error} `EADDRINUSE` and the like, from the first address that fails.
 */
export async function listenOnLoopback(
  listener: RequestListener,
  port: number,
  hosts: readonly string[] = LOOPBACK,
): Promise<Listening> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await listenOnAll(listener, port, hosts)
    } catch (error) {
      // With port 0 a stranger may hold the port that IPv4 gave us in IPv6.
      if (port !== 0 || attempt === 5 || errorCode(error) !== 'EADDRINUSE') throw error
    }
  }
}

async function listenOnAll(
  listener: RequestListener,
  port: number,
  hosts: readonly string[],
): Promise<Listening> {
  const servers: Server[] = []
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer))
  }
  let chosen = port
  try {
    for (const host of hosts) {
      const server = await listen(listener, chosen, host)
      if (!server) continue
      servers.push(server)
      chosen = (server.address() as AddressInfo).port
    }
  } catch (error) {
    await close()
    throw error
  }
  if (servers.length === 0) throw new Error(`none of ${hosts.join(', ')} is an address of this machine`)
  return { port: chosen, close }
}

/** @returns undefined where the machine does not have the address at all, as without IPv6. */
async function listen(listener: RequestListener, port: number, host: string): Promise<Server | undefined> {
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, listener)
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>()
  server.once('error', (error) => {
    if (['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(errorCode(error) ?? '')) resolve(undefined)
    else reject(error)
  })
  server.listen({ port, host }, () => resolve(server))
  return promise
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
