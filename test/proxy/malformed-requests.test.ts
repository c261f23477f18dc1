import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { everythingOn, GET, proxy, upstream } from './support.ts'

/** A proxy whose upstream must not be reached. */
async function guarded(): Promise<{ port: number; reached: () => number }> {
  let reached = 0
  const { port } = await upstream((_, response) => {
    reached += 1
    response.end()
  })
  return { port: (await proxy(everythingOn(port))).port, reached: () => reached }
}

const HOST = 'Host: example.com\r\n'

describe('is refused as a problem and reaches no upstream:', () => {
  test.each([
    ['two Host fields', 400, `GET / HTTP/1.1\r\n${HOST}Host: other.example\r\n\r\n`],
    ['the same Host twice', 400, `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
    ['no Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
    ['a Host that is no host', 400, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['an absolute form for another host', 400, `GET http://other.example/ HTTP/1.1\r\n${HOST}\r\n`],
    ['the asterisk form', 400, `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
    ['a dot segment', 400, `GET /a/../b HTTP/1.1\r\n${HOST}\r\n`],
    ['an encoded slash', 400, `GET /a%2fb HTTP/1.1\r\n${HOST}\r\n`],
    ['an empty segment', 400, `GET //a HTTP/1.1\r\n${HOST}\r\n`],
    ['a bad escape, which fastify itself would answer', 400, `GET /%zz HTTP/1.1\r\n${HOST}\r\n`],
    ['an overlong escape', 400, `GET /%c0%ae HTTP/1.1\r\n${HOST}\r\n`],
    [
      'a coding that would be lost',
      501,
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'length and chunks',
      400,
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two lengths', 400, `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
    ['a space before a colon', 400, `GET / HTTP/1.1\r\n${HOST}X : y\r\n\r\n`],
    ['a folded header', 400, `GET / HTTP/1.1\r\n${HOST}X: y\r\n z\r\n\r\n`],
    ['another protocol', 400, 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a method unheard of', 400, `BREW / HTTP/1.1\r\n${HOST}\r\n`],
    ['headers above 64 KiB', 431, `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(66_000)}\r\n\r\n`],
    ['CONNECT', 405, `CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`],
  ])('%s', async (_, status, text) => {
    const { port, reached } = await guarded()
    const response = await rawRequest(port, text)
    expect(response.status).toBe(status)
    expect(response.headers).toMatchObject({ 'content-type': 'application/problem+json', server: 'ostiary' })
    expect(JSON.parse(response.body)).toMatchObject({ status })
    expect(reached()).toBe(0)
  })
})

test('a refused CONNECT is over, even for a client that stays and goes on sending', async () => {
  const { port } = await guarded()
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  const cut = once(socket, 'error')
  socket.resume().write(`CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`)
  await once(socket, 'end')
  while (!socket.destroyed && socket.write('more')) await new Promise((resolve) => setImmediate(resolve))
  expect((await cut)[0]).toMatchObject({ code: expect.stringMatching(/^(?:EPIPE|ECONNRESET)$/) })
})

test('headers below 64 KiB pass', async () => {
  const { port } = await guarded()
  const cookie = `Cookie: ${'c'.repeat(60_000)}\r\n`
  expect((await rawRequest(port, `GET / HTTP/1.1\r\n${HOST}${cookie}\r\n`)).status).toBe(200)
})

test('an absolute form for the same host goes upstream in origin form', async () => {
  const { port } = await upstream((request, response) => response.end(request.url))
  const running = await proxy(everythingOn(port))
  const response = await rawRequest(running.port, `GET http://example.com/a?b HTTP/1.1\r\n${HOST}\r\n`)
  expect(response).toMatchObject({ status: 200, body: '/a?b' })
})

test('garbage behind a request does not fall into its response', async () => {
  const running = await proxy(
    everythingOn((await upstream((_, response) => void response.write('begun'))).port),
  )
  const client = await RawClient.open(running.port)
  client.write(GET)
  await client.until((text) => text.includes('begun'))
  client.write('\0garbage\r\n\r\n')
  expect(await client.closed()).not.toContain('problem+json')
})

test('requests in a pipeline are answered in their order', async () => {
  const { port } = await upstream((request, response) => {
    if (request.url === '/slow') setImmediate(() => setImmediate(() => response.end('slow')))
    else response.end('quick')
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(`GET /slow HTTP/1.1\r\n${HOST}\r\nGET /quick HTTP/1.1\r\n${HOST}\r\n`)
  expect((await client.response()).body).toBe('slow')
  expect((await client.response()).body).toBe('quick')
  client.close()
})
