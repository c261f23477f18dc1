import { METHODS } from 'node:http'
import { expect, test } from 'vitest'
import { rawRequest } from '../support/raw-http.ts'
import { bodyOf, everythingOn, GET, proxy, upstream } from './support.ts'

test('forwards method, target, headers and body, and relays the answer', async () => {
  const { port } = await upstream(async (request, response) => {
    const body = await bodyOf(request)
    response.writeHead(201, 'Made', ['X-Case', 'Kept', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'])
    response.end(JSON.stringify({ url: request.url, method: request.method, raw: request.rawHeaders, body }))
  })
  const { port: proxyPort } = await proxy(everythingOn(port))
  const response = await rawRequest(
    proxyPort,
    'PUT /a%20b/~c?q=%2F&r HTTP/1.1\r\nHost: Example.com\r\nX-MiXed: yes\r\nContent-Length: 5\r\n\r\nhello',
  )
  expect(response.status).toBe(201)
  expect(response.head).toContain('HTTP/1.1 201 Made')
  expect(response.head).toContain('X-Case: Kept')
  expect(response.headers['set-cookie']).toBe('a=1\nb=2')
  const seen = JSON.parse(response.body)
  expect(seen).toMatchObject({ url: '/a%20b/~c?q=%2F&r', method: 'PUT', body: 'hello' })
  expect(seen.raw).toContain('X-MiXed')
})

test('every method that node:http parses reaches the upstream', async () => {
  const { port } = await upstream((request, response) => response.end(request.method))
  const { port: proxyPort } = await proxy(everythingOn(port))
  for (const method of METHODS.filter((each) => each !== 'CONNECT' && each !== 'HEAD')) {
    const body = 'Content-Type: application/x-unheard-of\r\nContent-Length: 2\r\n\r\nhi'
    const response = await rawRequest(proxyPort, `${method} / HTTP/1.1\r\nHost: example.com\r\n${body}`)
    expect([method, response.status, response.body]).toEqual([method, 200, method])
  }
})

test('keeps the length of a response, and adds Server and Date only where they lack', async () => {
  const { port } = await upstream((request, response) => {
    if (request.url === '/named') response.setHeader('Server', 'theirs')
    response.setHeader('Content-Length', 5)
    response.end('hello')
  })
  const { port: proxyPort } = await proxy(everythingOn(port))
  const response = await rawRequest(proxyPort, GET)
  expect(response.headers).toMatchObject({ 'content-length': '5', server: 'ostiary' })
  expect(response.headers['date']).toBeDefined()
  expect(response.headers['transfer-encoding']).toBeUndefined()
  const named = await rawRequest(proxyPort, 'GET /named HTTP/1.1\r\nHost: example.com\r\n\r\n')
  expect(named.headers['server']).toBe('theirs')
})
