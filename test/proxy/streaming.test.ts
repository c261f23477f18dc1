import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { everythingOn, GET, proxy, tcpUpstream, upstream } from './support.ts'

const MIB = 1024 * 1024

test('an event reaches the client before the response ends, and headers before the first event', async () => {
  let responding: ((response: ServerResponse) => void) | undefined
  const started = new Promise<ServerResponse>((resolve) => {
    responding = resolve
  })
  const { port } = await upstream((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.flushHeaders()
    responding?.(response)
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  const response = await started
  await client.until((text) => text.includes('text/event-stream'))
  response.write('data: one\n\n')
  await client.until((text) => text.includes('data: one'))
  response.end('data: two\n\n')
  await client.until((text) => text.endsWith('0\r\n\r\n'))
  client.close()
})

test('a client that does not read holds the upstream back, and gets every byte when it reads', async () => {
  const total = 96 * MIB
  let written = 0
  const { port } = await upstream((request, response) => {
    if (request.url === '/small') {
      response.end('small')
      return
    }
    response.setHeader('Content-Length', total)
    const fill = (): void => {
      while (written < total) {
        written += MIB
        if (!response.write(Buffer.alloc(MIB))) {
          response.once('drain', fill)
          return
        }
      }
      response.end()
    }
    fill()
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  await client.until((text) => text.includes('\r\n\r\n'))
  client.socket.pause()
  // Time, as the proxy counts it: were nobody held back, all of it would have come by now.
  for (let i = 0; i < 60; i += 1) {
    await rawRequest(running.port, 'GET /small HTTP/1.1\r\nHost: example.com\r\n\r\n')
  }
  expect(written).toBeLessThan(total / 2)
  let received = client.pending.length - client.pending.indexOf('\r\n\r\n') - 4
  client.socket.removeAllListeners('data')
  client.socket.on('data', (chunk: string) => {
    received += chunk.length
    if (received >= total) client.socket.emit('everything')
  })
  client.socket.resume()
  if (received < total) await once(client.socket, 'everything')
  expect(received).toBe(total)
  client.close()
})

test('an upstream that does not read holds the client back', async () => {
  const total = 96 * MIB
  const { port } = await upstream((request, response) => {
    if (request.url === '/small') response.end('small')
    // Else: never reads, never answers.
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(`POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: ${total}\r\n\r\n`)
  let sent = 0
  const fill = (): void => {
    while (sent < total) {
      sent += MIB
      if (!client.socket.write(Buffer.alloc(MIB))) {
        client.socket.once('drain', fill)
        return
      }
    }
  }
  fill()
  for (let i = 0; i < 60; i += 1) {
    await rawRequest(running.port, 'GET /small HTTP/1.1\r\nHost: example.com\r\n\r\n')
  }
  expect(sent).toBeLessThan(total / 2)
  client.close()
})

test('a chunked upload arrives as it is sent, and as chunks', async () => {
  let head = ''
  let body = ''
  let onBody: (() => void) | undefined
  const { port } = await tcpUpstream((socket) => {
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      if (head === '') {
        head = text.slice(0, text.indexOf('\r\n\r\n'))
        body = text.slice(head.length + 4)
      } else body += text
      onBody?.()
      if (body.endsWith('0\r\n\r\n')) socket.write('HTTP/1.1 204 No Content\r\n\r\n')
    })
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write('POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
  await new Promise<void>((resolve) => {
    onBody = () => {
      if (body.includes('one')) resolve()
    }
  })
  client.write('3\r\ntwo\r\n0\r\n\r\n')
  expect((await client.response()).status).toBe(204)
  expect(body).toBe('3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n')
  expect(head.toLowerCase()).toContain('transfer-encoding: chunked')
  expect(head.toLowerCase()).not.toContain('content-length')
  client.close()
})

test('an answer that comes during the upload is relayed, and the connection carries the next request', async () => {
  const { port } = await upstream((request, response) => {
    if (request.method === 'POST') response.writeHead(413).end('too much')
    else response.end('next')
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  const length = 4 * MIB
  client.write(`POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: ${length}\r\n\r\n`)
  client.write(Buffer.alloc(MIB))
  expect(await client.response()).toMatchObject({ status: 413, body: 'too much' })
  client.write(Buffer.alloc(length - MIB))
  client.write(GET)
  expect(await client.response()).toMatchObject({ status: 200, body: 'next' })
  client.close()
})
