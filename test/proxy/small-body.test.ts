import { request } from 'undici'
import { expect, test } from 'vitest'
import { RawClient } from '../support/raw-http.ts'
import { everythingOn, GET, proxy, tcpUpstream, upstream } from './support.ts'

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, value) => value))

test.each([
  ['with a length', 1],
  ['of the most that goes out in one write', 32],
  ['that is larger', 33],
])('a binary body %s comes as it was sent', async (_, times) => {
  const body = Buffer.concat(Array.from({ length: times }, () => EVERY_BYTE))
  const { port } = await upstream((_request, response) => {
    response.setHeader('Content-Length', body.length)
    response.end(body)
  })
  const running = await proxy(everythingOn(port))
  const answer = await request(`http://127.0.0.1:${running.port}/`, { headers: { host: 'example.com' } })
  expect(Buffer.from(await answer.body.arrayBuffer())).toEqual(body)
})

test('a chunked body with trailers in one packet keeps both', async () => {
  const { port } = await tcpUpstream((socket) => {
    socket.once('data', () => {
      socket.write(
        Buffer.concat([
          Buffer.from(
            'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nX-Latin: caf\xe9\r\n\r\n100\r\n',
            'latin1',
          ),
          EVERY_BYTE,
          Buffer.from('\r\n0\r\nX-Sum: 7\r\n\r\n'),
        ]),
      )
    })
  })
  const running = await proxy(everythingOn(port))
  const answer = await request(`http://127.0.0.1:${running.port}/`, { headers: { host: 'example.com' } })
  expect(Buffer.from(await answer.body.arrayBuffer())).toEqual(EVERY_BYTE)
  expect(answer.trailers).toEqual({ 'x-sum': '7' })
})

test('the beginning of a body waits for nothing that comes later', async () => {
  const rest = Promise.withResolvers<() => void>()
  const { port } = await tcpUpstream((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf')
      rest.resolve(() => socket.write('half'))
    })
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  await client.until((text) => text.endsWith('\r\n\r\nhalf'))
  ;(await rest.promise)()
  await client.until((text) => text.endsWith('\r\n\r\nhalfhalf'))
  client.close()
})

test('a body that breaks off behind its beginning is not taken for the whole', async () => {
  const { port } = await tcpUpstream((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf'))
  })
  const running = await proxy(everythingOn(port))
  const { body } = await request(`http://127.0.0.1:${running.port}/`, { headers: { host: 'example.com' } })
  await expect(body.text()).rejects.toThrow('other side closed')
})
