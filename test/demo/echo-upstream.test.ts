import { request } from 'node:http'
import { json, text } from 'node:stream/consumers'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'

let echo: Echo

beforeAll(async () => {
  echo = await startEcho({ port: 0, namespace: 'shop', ingress: 'web', service: 'orders', pod: 'orders-1' })
})

afterAll(() => echo.close())

async function ask(options: {
  method?: string
  path?: string
  host?: string
  headers?: string[]
  body?: string
}): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const { method = 'GET', path = '/', host = '127.0.0.1', headers = ['Host', 'shop.example'], body } = options
  request({ host, port: echo.port, method, path, headers }, resolve).on('error', reject).end(body)
  return promise
}

test('answers with the request as it arrived', async () => {
  const headers = [
    'Host',
    'shop.example:8080',
    'x-one',
    '1',
    'X-ONE',
    '2',
    'user-agent',
    'probe',
    'issuer_header',
    'i',
  ]
  const response = await ask({
    method: 'PUT',
    path: '/a%2Fb?c=d&c=e',
    headers: [...headers, 'Content-Length', '4'],
    body: 'body',
  })
  expect(response.headers['content-type']).toBe('application/json')
  expect(await json(response)).toEqual({
    path: '/a%2Fb?c=d&c=e',
    host: 'shop.example:8080',
    method: 'PUT',
    proto: 'HTTP/1.1',
    headers: expect.objectContaining({
      'X-One': ['1', '2'],
      'User-Agent': ['probe'],
      'Content-Length': ['4'],
      Issuer_header: ['i'],
    }),
    namespace: 'shop',
    ingress: 'web',
    service: 'orders',
    pod: 'orders-1',
  })
})

test('is healthy', async () => {
  expect(await text(await ask({ path: '/health' }))).toBe('OK')
})

test('answers HEAD without a body', async () => {
  const response = await ask({ method: 'HEAD' })
  expect([response.statusCode, await text(response)]).toEqual([200, ''])
})

test('listens in IPv4 and IPv6 on the same port, where the machine has both', async () => {
  const four = await ask({ host: '127.0.0.1' })
  expect(four.statusCode).toBe(200)
  four.resume()
  const six = await ask({ host: '::1' }).catch((error: NodeJS.ErrnoException) => error.code)
  if (typeof six === 'object') six.resume()
  expect(typeof six === 'object' ? six.statusCode : six).toBeOneOf([200, 'EADDRNOTAVAIL', 'EAFNOSUPPORT'])
})

test('listens on the one address asked for', async () => {
  const other = await startEcho({ port: 0, host: '127.0.0.1' })
  try {
    const response = await fetch(`http://127.0.0.1:${other.port}/`)
    expect(await response.json()).toMatchObject({ namespace: '', pod: '' })
    await expect(fetch(`http://[::1]:${other.port}/`)).rejects.toThrow()
  } finally {
    await other.close()
  }
})
