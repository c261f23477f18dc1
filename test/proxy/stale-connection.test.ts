import { expect, test } from 'vitest'
import { RawClient } from '../support/raw-http.ts'
import { everythingOn, GET, proxy, tcpUpstream } from './support.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Answers the first request of each connection, and does `then` at the second. Says how many requests it saw. */
async function dyingUpstream(then: (write: (text: string) => void, destroy: () => void) => void) {
  const seen: string[] = []
  let connections = 0
  const { port } = await tcpUpstream((socket) => {
    connections += 1
    let requests = 0
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      // The body of a request may come in a chunk of its own.
      if (!/^[A-Z]+ \//.test(text)) return
      seen.push(text.slice(0, text.indexOf(' ')))
      requests += 1
      if (requests === 1) socket.write(OK)
      else
        then(
          (answer) => socket.write(answer),
          () => socket.destroy(),
        )
    })
  })
  return { port, seen, connections: () => connections }
}

async function second(port: number, request: string): Promise<{ status: number; body: string }> {
  const client = await RawClient.open(port)
  client.write(GET)
  expect(await client.response()).toMatchObject({ status: 200, body: 'ok' })
  client.write(request)
  const response = await client.response()
  client.close()
  return response
}

test('a GET on a reused connection that dies without a byte is sent once more, on a new connection', async () => {
  const upstream = await dyingUpstream((_, destroy) => destroy())
  const running = await proxy(everythingOn(upstream.port))
  expect(await second(running.port, GET)).toMatchObject({ status: 200, body: 'ok' })
  expect(upstream.seen).toEqual(['GET', 'GET', 'GET'])
  expect(upstream.connections()).toBe(2)
})

test.each([
  ['POST with a body', 'POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello', 'POST'],
  ['POST without one', 'POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\n\r\n', 'POST'],
  ['PATCH', 'PATCH / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\n\r\nhi', 'PATCH'],
  [
    'PUT with its body on the way',
    'PUT / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\n\r\nhi',
    'PUT',
  ],
])('%s is not sent again', async (_, request, method) => {
  const upstream = await dyingUpstream((__, destroy) => destroy())
  const running = await proxy(everythingOn(upstream.port))
  expect(await second(running.port, request)).toMatchObject({ status: 502 })
  expect(upstream.seen).toEqual(['GET', method])
})

test('a connection that dies after a byte of the response is no stale one', async () => {
  const upstream = await dyingUpstream((write, destroy) => {
    write('HTTP/1.1 2')
    setImmediate(destroy)
  })
  const running = await proxy(everythingOn(upstream.port))
  expect(await second(running.port, GET)).toMatchObject({ status: 502 })
  expect(upstream.seen).toEqual(['GET', 'GET'])
})

test('a new connection that dies is not tried again', async () => {
  let connections = 0
  const { port } = await tcpUpstream((socket) => {
    connections += 1
    socket.on('data', () => socket.destroy())
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  expect((await client.response()).status).toBe(502)
  expect(connections).toBe(1)
  client.close()
})

test('an unsolicited second response reaches nobody', async () => {
  const { port } = await tcpUpstream((socket) => {
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n${text.slice(5, 9)}`)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison')
    })
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  for (const path of ['/aaa', '/bbb', '/ccc', '/ddd']) {
    client.write(`GET ${path} HTTP/1.1\r\nHost: example.com\r\n\r\n`)
    expect((await client.response()).body).toBe(`${path.slice(1)} `)
  }
  client.close()
})
