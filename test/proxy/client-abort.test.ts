import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { RawClient } from '../support/raw-http.ts'
import { everythingOn, GET, proxy, upstream } from './support.ts'

/** An upstream that says when a request came and keeps it. */
async function keeping(): Promise<{
  port: number
  came: Promise<{ request: IncomingMessage; response: ServerResponse }>
}> {
  let resolveCame: (kept: { request: IncomingMessage; response: ServerResponse }) => void = () => {}
  const came = new Promise<{ request: IncomingMessage; response: ServerResponse }>((resolve) => {
    resolveCame = resolve
  })
  const { port } = await upstream((request, response) => resolveCame({ request, response }))
  return { port, came }
}

test('a client that leaves while it waits for headers cancels the upstream request', async () => {
  const { came, port } = await keeping()
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  const { response } = await came
  client.close()
  await once(response, 'close')
  expect(response.writableFinished).toBe(false)
})

test('a client that leaves inside the response cancels the upstream request', async () => {
  const { came, port } = await keeping()
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  const { response } = await came
  response.write('half')
  await client.until((text) => text.includes('half'))
  client.close()
  await once(response, 'close')
  expect(response.writableFinished).toBe(false)
})

test('a client that leaves inside its upload cancels the upstream request, and the upstream sees no whole body', async () => {
  const { came, port } = await keeping()
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write('POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 10\r\n\r\nhalf')
  const { request } = await came
  await once(request, 'data')
  const closed = new Promise((resolve) => request.on('error', () => {}).on('close', resolve))
  client.close()
  await closed
  expect(request.complete).toBe(false)
})

test('a request whose client left is counted once, as 499', async () => {
  const { came, port } = await keeping()
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  const { response } = await came
  client.close()
  await once(response, 'close')
  const requests = running.server.metrics().find(({ name }) => name === 'ostiary_http_requests_total')
  expect(requests?.values).toEqual([
    { value: 1, labels: { namespace: 'default', ingress: 'web', service: 'web', method: 'GET', code: 499 } },
  ])
})
