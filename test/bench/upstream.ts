import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The upstream of the benchmark: the same 1 KiB for every request. */
const body = Buffer.alloc(1024, 'x')
const server = createServer((request, response) => {
  request.resume()
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length })
  response.end(body)
})
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
