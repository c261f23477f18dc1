import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createDefaultCertificate } from '../../../src/proxy/default-certificate.ts'
import { postForm, startDashboard } from './support.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A data plane that notes what it was asked. */
async function startDataPlane(answer: Answer = (_request, response) => response.end('hello')) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  return { requests, port: await listen(server) }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function send(
  port: number,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const url = await startDashboard({ dataPlane: { host: '127.0.0.1', httpPort: port } })
  const response = await postForm(url, '/explain/send', fields, headers)
  return response.text()
}

test('a request goes as it was typed, with nothing of the browser, to the data plane alone', async () => {
  const { port, requests } = await startDataPlane()
  await send(
    port,
    {
      method: 'PUT',
      url: 'http://shop.example.com:81/a/../b//c%2e?x=1&y=%20',
      headers: 'X-A: 1\nx-a: 2\nAuthorization: Bearer typed-secret',
    },
    { cookie: 'dashboard=session', 'x-browser': '1' },
  )
  expect(requests).toHaveLength(1)
  const { headers, method, url } = requests[0]!
  expect([method, url]).toEqual(['PUT', '/a/../b//c%2e?x=1&y=%20'])
  const { connection: _connection, ...sent } = headers
  expect(sent).toEqual({
    host: 'shop.example.com:81',
    'x-a': '1, 2',
    authorization: 'Bearer typed-secret',
    'content-length': '0',
  })
})

test.each([
  'http://169.254.169.254/latest',
  'http://localhost:6379/',
  'http://[::1]:22/',
  'http://10.0.0.1/',
])('%s is asked of the data plane, by that Host', async (url) => {
  const { port, requests } = await startDataPlane()
  await send(port, { url })
  expect(requests.map(({ headers }) => headers.host)).toEqual([new URL(url).host])
})

test('request, decision and response stand beside each other, without secrets', async () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl'
  const { port } = await startDataPlane((request, response) => {
    response.writeHead(200, {
      'content-type': 'text/plain',
      'set-cookie': ['__Host-a=cookie-secret; Path=/; HttpOnly'],
      location: '/cb?code=code-secret#access_token=fragment-secret',
      'x-access-token': 'header-secret',
    })
    response.end(`you sent ${request.headers.authorization ?? ''} and ${token} <b>bold</b>`)
  })
  const text = await send(port, {
    url: 'http://shop.example.com/a?api_key=query-secret',
    headers: 'Authorization: Bearer typed-secret-1\nAccept: text/html',
  })
  const shown = text.slice(text.indexOf('id="exchange"'))
  expect(shown).not.toMatch(/(?:cookie|code|fragment|header|query|typed)-secret|c2lnbmF0dXJl|<b>bold/)
  expect(shown).toContain('GET /a?api_key=•••')
  expect(shown).toContain('<b>Accept:</b> text/html')
  expect(shown).toContain('<b>set-cookie:</b> __Host-a=•••; Path=/; HttpOnly')
  expect(shown).toContain('<b>location:</b> /cb?code=•••#access_token=•••')
  expect(shown).toContain('you sent ••• and ••• &lt;b&gt;bold&lt;/b&gt;')
  expect(shown).toContain('answered 200 instead')
  expect(shown).toMatch(/from\s+127\.0\.0\.1/)
})

test('a 503 is asked for once, and its reason is shown', async () => {
  const { port, requests } = await startDataPlane((_request, response) => {
    response.writeHead(503, {
      'content-type': 'application/problem+json',
      server: 'ostiary',
      'retry-after': '0',
    })
    response.end(JSON.stringify({ reason: 'plugin_missing' }))
  })
  const text = await send(port, { url: 'http://shop.example.com/' })
  expect(requests).toHaveLength(1)
  expect(text).toContain('503 Service Unavailable')
  expect(text).toContain('gives the reason <code>plugin_missing</code>')
})

test('headers of the answer are not ours, and redirects are not followed', async () => {
  const { port, requests } = await startDataPlane((_request, response) => {
    response.writeHead(302, { location: '/next', 'set-cookie': 'a=b', 'content-security-policy': 'x' }).end()
  })
  const url = await startDashboard({ dataPlane: { host: '127.0.0.1', httpPort: port } })
  const response = await postForm(url, '/explain/send', { url: 'http://shop.example.com/' })
  expect(response.status).toBe(200)
  expect(response.headers.has('set-cookie')).toBe(false)
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(requests).toHaveLength(1)
})

test('of an endless body the first KiB is read', async () => {
  let isClosed = (): void => undefined
  const closed = new Promise<void>((resolve) => (isClosed = resolve))
  const { port } = await startDataPlane((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.on('close', isClosed)
    const more = (): void => {
      // At once, it would leave the event loop no turn.
      if (response.write('x'.repeat(4096))) setImmediate(more)
      else response.once('drain', more)
    }
    more()
  })
  const text = await send(port, { url: 'http://shop.example.com/' })
  expect(text).toContain('The first KiB; the rest was not read.')
  expect(/x{1025}/.test(text)).toBe(false)
  await closed
})

test.each(['TRACE', 'CONNECT', 'trace'])('%s is not sent', async (method) => {
  const { port, requests } = await startDataPlane()
  const text = await send(port, { method, url: 'http://shop.example.com/' })
  expect(text).toContain('never sent from here')
  expect(requests).toHaveLength(0)
})

test('what ends at a hop is left out and named', async () => {
  const { port, requests } = await startDataPlane()
  const headers = 'Connection: x-mine\nX-Mine: 1\nUpgrade: websocket\nX-Kept: 1'
  const text = await send(port, { url: 'http://shop.example.com/', headers })
  expect(text).toContain('Left out, since they end at each hop: Connection, X-Mine, Upgrade')
  expect(requests[0]?.headers).toMatchObject({ 'x-kept': '1' })
  expect(Object.keys(requests[0]?.headers ?? {})).not.toContain('x-mine')
})

test.each([
  ['no listener', 'https://shop.example.com/', 'no listener for https'],
  ['a Host twice', 'http://shop.example.com/', 'contradict each other'],
])('%s is said', async (name, url, message) => {
  const { port } = await startDataPlane()
  const headers = name === 'a Host twice' ? 'Host: a.example.com\nHost: b.example.com' : ''
  expect(await send(port, { url, headers })).toContain(message)
})

test('a connection that is cut is said', async () => {
  const { port } = await startDataPlane((request) => request.socket.destroy())
  expect(await send(port, { url: 'http://shop.example.com/' })).toContain(
    'closed the connection without an answer',
  )
})

test('over https the handshake names the host, and the certificate is not asked about', async () => {
  const { certificateChainPem, privateKeyPem } = await createDefaultCertificate(new Date())
  const names: unknown[] = []
  const tls = createTlsServer({ cert: certificateChainPem, key: privateKeyPem }, (request, response) => {
    names.push([(request.socket as TLSSocket).servername, request.headers.host])
    response.end('over TLS')
  })
  const url = await startDashboard({ dataPlane: { host: '127.0.0.1', httpsPort: await listen(tls) } })
  const response = await postForm(url, '/explain/send', { url: 'https://shop.example.com/' })
  expect(await response.text()).toContain('over TLS')
  expect(names).toEqual([['shop.example.com', 'shop.example.com']])
})

test('so many are on their way at once and no more, and then there is room again', async () => {
  const held: ServerResponse[] = []
  const { port } = await startDataPlane((_request, response) => void held.push(response))
  const url = await startDashboard({ dataPlane: { host: '127.0.0.1', httpPort: port } })
  const ask = async () =>
    (await postForm(url, '/explain/send', { method: 'GET', url: 'http://a.test/' })).text()
  const first = Array.from({ length: 4 }, ask)
  await expect.poll(() => held.length).toBe(4)
  expect(await ask()).toContain('4 requests are on their way already')
  for (const response of held) response.end('answered')
  for (const page of await Promise.all(first)) expect(page).toContain('answered')
  const next = ask()
  await expect.poll(() => held.length).toBe(5)
  held[4]?.end('again')
  expect(await next).toContain('again')
})
