import { expect, test } from 'vitest'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { bodyOf, everythingOn, proxy, upstream } from './support.ts'

const HEAD = 'POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n'

test('a body is asked for when it is needed; the upstream is not asked', async () => {
  const { port } = await upstream(async (request, response) => {
    const body = await bodyOf(request)
    response.end(JSON.stringify({ expect: request.headers.expect, body }))
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(HEAD)
  expect((await client.response()).status).toBe(100)
  client.write('hello')
  const { body, headers } = await client.response()
  expect(JSON.parse(body)).toEqual({ body: 'hello' })
  expect(headers['connection']).toBe('keep-alive')
  client.close()
})

test('a refused request is not asked for its body, and its connection ends', async () => {
  const running = await proxy(everythingOn())
  const client = await RawClient.open(running.port)
  client.write(HEAD.replace('example.com', 'nobody.example'))
  const response = await client.response()
  expect(response.status).toBe(404)
  expect(response.headers['connection']).toBe('close')
  expect(await client.closed()).toBe('')
})

test('a client that does not wait is served as well', async () => {
  const { port } = await upstream(async (request, response) => {
    response.end(await bodyOf(request))
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(`${HEAD}hello`)
  let response = await client.response()
  if (response.status === 100) response = await client.response()
  expect(response).toMatchObject({ status: 200, body: 'hello' })
  client.close()
})

test('another expectation is 417', async () => {
  const running = await proxy(everythingOn())
  const response = await rawRequest(
    running.port,
    'GET / HTTP/1.1\r\nHost: example.com\r\nExpect: magic\r\n\r\n',
  )
  expect(response.status).toBe(417)
  expect(response.headers['content-type']).toBe('application/problem+json')
})
