import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Takes traces and throws them away; reports its port. */
const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
