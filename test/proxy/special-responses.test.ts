import { expect, test } from 'vitest'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { everythingOn, GET, proxy, tcpUpstream, upstream } from './support.ts'

test('HEAD keeps its Content-Length, and reuses both connections', async () => {
  const sockets = new Set<unknown>()
  const { port } = await upstream((request, response) => {
    sockets.add(request.socket)
    response.writeHead(200, { 'Content-Length': '1234' }).end()
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  for (let i = 0; i < 4; i += 1) {
    client.write('HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n')
    const response = await client.response({ withoutBody: true })
    expect(response.headers['content-length']).toBe('1234')
    expect(response.headers['connection']).toBe('keep-alive')
  }
  expect(client.pending).toBe('')
  expect(sockets.size).toBe(1)
  client.close()
})

test('304 keeps its validators and its Content-Length, and has no body', async () => {
  const { port } = await tcpUpstream((socket) =>
    socket.on('data', () =>
      socket.write('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 99\r\n\r\n'),
    ),
  )
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  const response = await client.response()
  expect(response).toMatchObject({ status: 304, headers: { etag: '"a"', 'content-length': '99' } })
  expect(response.headers['transfer-encoding']).toBeUndefined()
  client.write(GET)
  expect((await client.response()).status).toBe(304)
  client.close()
})

test('204 has neither body nor coding', async () => {
  const { port } = await upstream((_, response) => response.writeHead(204).end())
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  for (let i = 0; i < 2; i += 1) {
    client.write(GET)
    const { headers, status } = await client.response()
    expect([status, headers['content-length'], headers['transfer-encoding']]).toEqual([
      204,
      undefined,
      undefined,
    ])
  }
  expect(client.pending).toBe('')
  client.close()
})

test('103 goes ahead of the answer, to HTTP/1.1 clients alone', async () => {
  const { port } = await upstream((_, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => response.end('done'))
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  expect(await client.response()).toMatchObject({ status: 103, headers: { link: '</a.css>; rel=preload' } })
  expect(await client.response()).toMatchObject({ status: 200, body: 'done' })
  client.close()
  const old = await rawRequest(running.port, 'GET / HTTP/1.0\r\nHost: example.com\r\n\r\n')
  expect(old).toMatchObject({ status: 200, body: 'done' })
})

test('of interim responses without end only the first go to the client', async () => {
  const { port } = await tcpUpstream((socket) =>
    socket.on('data', () =>
      socket.write(
        `${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(500)}HTTP/1.1 204 No Content\r\n\r\n`,
      ),
    ),
  )
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  await client.until((text) => text.includes(' 204 '))
  expect(client.pending.match(/ 103 /g)).toHaveLength(16)
  client.close()
})

test('trailers pass, but none that frames or authenticates', async () => {
  const { port } = await tcpUpstream((socket) =>
    socket.on('data', () =>
      socket.write(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n' +
          '0\r\nX-Sum: 7\r\nSet-Cookie: a=1\r\nAuthorization: x\r\n\r\n',
      ),
    ),
  )
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  client.write(GET)
  await client.until((text) => text.includes('0\r\n') && text.endsWith('\r\n\r\n'))
  expect(client.pending).toContain('0\r\nX-Sum: 7\r\n\r\n')
  expect(client.pending).not.toContain('a=1')
  client.close()
})

test("the upstream's Connection is its own: what it names goes, and the client's connection stays", async () => {
  const { port } = await upstream((_, response) => {
    response.setHeader('Connection', 'close, X-Internal')
    response.setHeader('X-Internal', 'secret')
    response.setHeader('Keep-Alive', 'timeout=1')
    response.end('ok')
  })
  const running = await proxy(everythingOn(port))
  const client = await RawClient.open(running.port)
  for (let i = 0; i < 2; i += 1) {
    client.write(GET)
    const { body, headers } = await client.response()
    expect([body, headers['x-internal'], headers['connection']]).toEqual(['ok', undefined, 'keep-alive'])
    expect(headers['keep-alive']).not.toBe('timeout=1')
  }
  client.close()
})

test("the client's Connection is its own: what it names does not go upstream, and our headers do", async () => {
  const { port } = await upstream((request, response) => response.end(JSON.stringify(request.headers)))
  const running = await proxy(everythingOn(port))
  const { body } = await rawRequest(
    running.port,
    'GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close, X-Secret, X-Forwarded-For\r\nX-Secret: 1\r\n' +
      'Proxy-Authorization: Basic eA==\r\nKeep-Alive: 1\r\nUpgrade: h2c\r\nX-Kept: 2\r\n\r\n',
  )
  const headers = JSON.parse(body)
  expect(headers).toMatchObject({ connection: 'keep-alive', 'x-kept': '2', 'x-forwarded-for': '127.0.0.1' })
  for (const name of ['x-secret', 'proxy-authorization', 'keep-alive', 'upgrade']) {
    expect(headers).not.toHaveProperty(name)
  }
})

test('a response without length is chunked for HTTP/1.1, and ends with the connection for HTTP/1.0', async () => {
  const { port } = await tcpUpstream((socket) =>
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it')),
  )
  const running = await proxy(everythingOn(port))
  const modern = await rawRequest(running.port, GET)
  expect(modern).toMatchObject({ body: 'all of it', headers: { 'transfer-encoding': 'chunked' } })
  const old = await rawRequest(running.port, 'GET / HTTP/1.0\r\nHost: example.com\r\n\r\n')
  expect(old.body).toBe('all of it')
  expect(old.headers['transfer-encoding']).toBeUndefined()
})

test('a reason phrase that is not ASCII is replaced, and its response passes', async () => {
  const { port } = await tcpUpstream((socket) =>
    socket.on('data', () =>
      socket.write(
        Buffer.from('HTTP/1.1 200 Tr\xe8s bien\r\nX-A: \xe9\r\nContent-Length: 2\r\n\r\nok', 'latin1'),
      ),
    ),
  )
  const running = await proxy(everythingOn(port))
  expect(await rawRequest(running.port, GET)).toMatchObject({
    status: 200,
    headers: { 'x-a': '\xe9' },
    body: 'ok',
  })
})
