import type { Timers } from '../clock.ts'
import type { Listener } from './listener.ts'

/**
 * Stops accepting, closes idle connections, lets requests and tunnels under way finish, and cuts what is left when the
 * time is over. The caller closes connections that become idle later.
 */
export function drain(listener: Listener, drainMs: number, timers: Timers): Promise<void> {
  const { server } = listener
  const cut = (): void => {
    server.closeAllConnections()
    listener.closeUpgraded()
  }
  return new Promise((resolve) => {
    const cancel = timers.after(drainMs, cut)
    server.close(() => {
      cancel()
      resolve()
    })
    if (drainMs === 0) cut()
  })
}
