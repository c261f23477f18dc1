import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net'
import { onTestFinished } from 'vitest'
import type { Authorizer } from '../../src/auth/authorize.ts'
import type { Allow } from '../../src/auth/decision.ts'
import { systemClock, systemTimers, type Timers } from '../../src/clock.ts'
import type { RequestRecorder } from '../../src/observability/request-record.ts'
import type { ProxyLog } from '../../src/proxy/exchange.ts'
import {
  createProxyServer,
  type ListeningPorts,
  type ProxyServer,
  type ProxyServerOptions,
} from '../../src/proxy/proxy-server.ts'
import type { Snapshot } from '../../src/table/routing-table.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'

/** An HTTP upstream on a free port; gone when the test is. */
export async function upstream(
  listener: (...of: Parameters<RequestListener>) => unknown,
): Promise<{ port: number; server: Server }> {
  const server = createServer({ maxHeaderSize: 131_072 }, (request, response) => {
    void listener(request, response)
  })
  return { port: await listenOn(server, () => server.closeAllConnections()), server }
}

/** An upstream that speaks bytes. */
export async function tcpUpstream(
  onSocket: (socket: Socket) => void,
): Promise<{ port: number; server: TcpServer }> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    onSocket(socket)
  })
  const port = await listenOn(server, () => {
    for (const socket of sockets) socket.destroy()
  })
  return { port, server }
}

async function listenOn(server: TcpServer, cut: () => void): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
    cut()
    await closed
  })
  return (server.address() as AddressInfo).port
}

/** A port that nobody listens on. */
export async function deadPort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  return port
}

export const silent: ProxyLog = { debug() {}, info() {}, warn() {}, error() {} }

/** For tests of open routes: being asked at all is a failure. */
export const noAuthorizer: Authorizer = {
  authorize: () => {
    throw new Error('an open route asked for authorization')
  },
  callback: () => undefined,
  reserved: () => {
    throw new Error('an open route asked for a reserved path')
  },
}

export const ALLOW: Allow = {
  kind: 'allow',
  identity: { policy: 'default/plugin', method: 'bearer', groups: [] },
  removeHeaders: [],
  setHeaders: [],
  removeCookies: () => false,
  removeQuery: [],
  removeForm: [],
  responseHeaders: [],
}

export interface RunningProxy extends ListeningPorts {
  readonly server: ProxyServer
  readonly port: number
}

/** A proxy on a free port; closed when the test is. */
export async function proxy(
  snapshot: Snapshot | undefined,
  options: Partial<ProxyServerOptions> = {},
  authorizer: Authorizer = noAuthorizer,
  timers: Timers = systemTimers,
  recorder?: RequestRecorder,
): Promise<RunningProxy> {
  const server = await createProxyServer(
    { http: { port: 0 }, ...options },
    { authorizer, clock: systemClock, log: silent, timers, ...(recorder !== undefined && { recorder }) },
  )
  if (snapshot !== undefined) server.publish(snapshot)
  const ports = await server.listen()
  onTestFinished(() => server.close({ drainMs: 0 }))
  return { ...ports, server, port: ports.http ?? 0 }
}

/** Host `example.com`, whole, on the given upstream ports. */
export function everythingOn(...ports: number[]): Snapshot {
  return aSnapshot(aTable([aHost('example.com', [aRoute('web')])], { web: ports }))
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

export const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'
