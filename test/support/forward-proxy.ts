import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** An HTTP proxy on a loopback port that is gone when the test is. */
export interface ForwardProxy {
  readonly url: string
  /** What it was asked for: `CONNECT host:port`, or `GET http://…`. */
  readonly asked: readonly string[]
  /** `Proxy-Authorization` as it came, in the same order. */
  readonly credentials: readonly (string | undefined)[]
}

export interface ForwardProxyOptions {
  /** Answers this to everything. */
  readonly refuseWith?: number
}

/** Starts a proxy that tunnels CONNECT and forwards absolute-form requests. */
export async function startForwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const asked: string[] = []
  const credentials: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    note(request)
    if (options.refuseWith === undefined) forward(request, response)
    else response.writeHead(options.refuseWith).end()
  })
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    note(request)
    if (options.refuseWith === undefined) tunnel(request.url ?? '', socket, sockets)
    else socket.end(`HTTP/1.1 ${options.refuseWith} No\r\n\r\n`)
  })
  server.on('connection', (socket: Socket) => sockets.add(socket))

  function note(request: IncomingMessage): void {
    asked.push(`${request.method} ${request.url}`)
    credentials.push(request.headers['proxy-authorization'])
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, asked, credentials }
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const { method, headers } = request
  const outgoing = httpRequest(request.url ?? '', { method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  outgoing.on('error', () => response.destroy())
  request.pipe(outgoing)
}

function tunnel(authority: string, client: Socket, sockets: Set<Socket>): void {
  const { hostname, port } = new URL(`http://${authority}`)
  const server = connect(Number(port || 80), hostname.replace(/^\[|\]$/g, ''), () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    server.pipe(client).pipe(server)
  })
  sockets.add(server)
  for (const socket of [server, client])
    socket.on('error', () => [server, client].map((each) => each.destroy()))
}
