import { Server } from 'node:net'
import type { Timers } from '../clock.ts'
import type { Listener } from './listener.ts'

const MAXIMUM_LINGER_MS = 5000

/**
 * For how long idle connections stay open once the drain has begun. A client may be sending a request at the very moment
 * when its connection is closed, and that request would be lost. One that comes in this time is answered, and told
 * `Connection: close`; who is silent for so long will hardly speak in the same millisecond.
 */
export function lingerMs(drainMs: number): number {
  return Math.min(drainMs / 4, MAXIMUM_LINGER_MS)
}

/**
 * Stops accepting, lets requests and tunnels under way finish, and cuts what is left when the time is over. The caller
 * closes idle connections.
 */
export function drain(listener: Listener, drainMs: number, timers: Timers): Promise<void> {
  const { server } = listener
  listener.goAway?.()
  const cut = (): void => {
    server.closeAllConnections()
    listener.closeUpgraded()
  }
  return new Promise((resolve) => {
    const cancel = timers.after(drainMs, cut)
    // Not that of node:http, which closes idle connections at once.
    Server.prototype.close.call(server, () => {
      cancel()
      resolve()
    })
    if (drainMs === 0) cut()
  })
}
