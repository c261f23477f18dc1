import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { ingress, service } from '../../support/manifests.ts'
import { startThreadedOstiary, type ThreadedOstiary } from '../../support/threaded-ostiary.ts'
import { startWebSocketUpstream } from '../../support/web-socket.ts'
import { IdleWebSockets } from './idle-web-sockets.ts'

export const HOST = 'steady.example.com'
export const SOCKETS_HOST = 'sockets.example.com'

/** An upstream that answers with its name when it has the whole request. */
export async function startUpstream(name: string, port = 0): Promise<{ port: number; server: Server }> {
  const listener: RequestListener = (request, response) => {
    request.resume().on('end', () => response.end(name))
  }
  const server = createServer(listener)
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port: (server.address() as AddressInfo).port, server }
}

export interface Calm {
  readonly ostiary: ThreadedOstiary
  readonly sockets: IdleWebSockets
  /** Objects that no test changes: the route of the WebSockets. */
  readonly unchanged: readonly object[]
}

/** Two threads with 100 idle WebSockets on a route of their own. */
export async function startCalm(
  apply: (ostiary: ThreadedOstiary, unchanged: readonly object[]) => Promise<void>,
  options: Parameters<typeof startThreadedOstiary>[0] = {},
): Promise<Calm> {
  const { port } = await startWebSocketUpstream()
  const unchanged = [
    ...service('sockets', port),
    ingress({ name: 'sockets', host: SOCKETS_HOST, service: 'sockets' }),
  ]
  const ostiary = await startThreadedOstiary(options)
  await apply(ostiary, unchanged)
  return { ostiary, unchanged, sockets: await IdleWebSockets.open(ostiary.port, SOCKETS_HOST) }
}
