import type { Server } from 'node:http'

/**
 * Stops accepting, closes idle connections, lets requests under way finish, and cuts what is left when the time is
 * over. The caller closes connections that become idle later.
 */
export function drain(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), drainMs)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
