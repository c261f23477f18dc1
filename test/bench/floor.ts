import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

/**
 * The floor: the least that a Node proxy can do for a request. node:http in front, undici's dispatch behind, headers
 * handed on as they are; no matching, no rules, no metrics. Arguments: the upstream's port, and a port to share with others
 * of its kind.
 */
const [upstreamPort, sharedPort] = process.argv.slice(2).map(Number)
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, {
  connections: 128,
  pipelining: 1,
  allowH2: false,
})

const server = createServer((request, response) => {
  const headers: string[] = []
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? ''
    if (name.toLowerCase() !== 'connection') headers.push(name, request.rawHeaders[i + 1] ?? '')
  }
  pool.dispatch(
    { path: request.url ?? '/', method: 'GET', headers },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, responseHeaders) {
        const { connection: _connection, 'keep-alive': _keepAlive, ...rest } = responseHeaders
        response.writeHead(status, rest)
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return
        controller.pause()
        response.once('drain', () => controller.resume())
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError(_controller, error) {
        response.destroy(error)
      },
    },
  )
})
server.keepAliveTimeout = 120_000
server.listen({ port: sharedPort ?? 0, host: '127.0.0.1', reusePort: sharedPort !== undefined }, () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
)
