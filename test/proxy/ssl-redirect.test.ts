import { expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import type { ProxyServerOptions } from '../../src/proxy/proxy-server.ts'
import type { Route } from '../../src/table/routing-table.ts'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { noAuthorizer, proxy, upstream } from './support.ts'

/** A proxy with a route that redirects on `example.com` and for every unknown host, and what its upstream saw. */
async function redirecting(options: Partial<ProxyServerOptions> = {}, route: Partial<Route> = {}) {
  const seen: string[] = []
  const { port } = await upstream((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.end('from the upstream')
  })
  const routes = [aRoute('web', { sslRedirect: true, allowEncodedSlash: true, ...route })]
  const table = aTable([aHost('example.com', routes), aHost('', routes)], { web: [port] })
  return { ...(await proxy(aSnapshot(table), options)), seen }
}

const head = (method: string, target: string, ...fields: string[]): string =>
  [`${method} ${target} HTTP/1.1`, 'Host: example.com', ...fields, '', ''].join('\r\n')

test.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'])(
  '%s over plain HTTP is answered 308 and goes nowhere',
  async (method) => {
    const { port, seen } = await redirecting()
    const body = method === 'POST' || method === 'PUT'
    const text = head(method, '/a?b=1', ...(body ? ['Content-Length: 4'] : [])) + (body ? 'body' : '')
    const { status, headers } = await rawRequest(port, text)
    expect([status, headers['location']]).toEqual([308, 'https://example.com/a?b=1'])
    expect(headers['cache-control']).toBe('no-store')
    expect(headers).not.toHaveProperty('strict-transport-security')
    expect(seen).toEqual([])
  },
)

test.each([
  '/',
  '/%41/a%2Fb?q=%20&r=a+b&s=%2F',
  "/a;b=1/~!$&'()*+,=:@?x=y?z=/..",
  '/search?q=caf%C3%A9&next=https://other.test/',
])('the target %s is kept byte for byte', async (target) => {
  const { port } = await redirecting()
  const { headers } = await rawRequest(port, head('GET', target))
  expect(headers['location']).toBe(`https://example.com${target}`)
})

test.each([
  ['EXAMPLE.com.', 'https://example.com/x'],
  ['example.com:8080', 'https://example.com/x'],
  ['other.test', 'https://other.test/x'],
  ['192.0.2.1:80', 'https://192.0.2.1/x'],
  ['[2001:db8::1]:80', 'https://[2001:db8::1]/x'],
])('the host %s is the one that was asked for, without its port', async (host, location) => {
  const { port } = await redirecting()
  const { headers } = await rawRequest(port, `GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  expect(headers['location']).toBe(location)
})

test('no forwarding header of a stranger names the host or the scheme', async () => {
  const { port, seen } = await redirecting()
  const forged = [
    'X-Forwarded-Host: evil.test',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 1',
    'Forwarded: proto=https;host=evil.test',
  ]
  const { status, headers } = await rawRequest(port, head('GET', '/', ...forged))
  expect([status, headers['location']]).toEqual([308, 'https://example.com/'])
  expect(seen).toEqual([])
})

test('a trusted proxy says which scheme the client used', async () => {
  const { port, seen } = await redirecting({ trustedProxies: ['127.0.0.0/8', '::1'] })
  expect((await rawRequest(port, head('GET', '/', 'X-Forwarded-Proto: https'))).status).toBe(200)
  expect((await rawRequest(port, head('GET', '/', 'X-Forwarded-Proto: http'))).status).toBe(308)
  expect((await rawRequest(port, head('GET', '/'))).status).toBe(308)
  // The left one is the client's own word.
  const chain = ['X-Forwarded-Proto: https, http', 'X-Forwarded-For: 203.0.113.9']
  expect((await rawRequest(port, head('GET', '/', ...chain))).status).toBe(308)
  expect(seen).toEqual(['GET /'])
})

test('what came over TLS is not sent elsewhere', async () => {
  const { https = 0, seen } = await redirecting({
    https: { port: 0 },
    defaultCertificate: await createDefaultCertificate(new Date()),
  })
  const client = await RawClient.openTls({ port: https, servername: 'example.com' })
  client.write(head('GET', '/over-tls'))
  expect((await client.response()).status).toBe(200)
  client.close()
  expect(seen).toEqual(['GET /over-tls'])
})

test('the port of HTTPS is named where it is not 443', async () => {
  const { port } = await redirecting({ httpsRedirectPort: 8443 })
  const { headers } = await rawRequest(port, head('GET', '/x'))
  expect(headers['location']).toBe('https://example.com:8443/x')
})

test('a WebSocket over plain HTTP gets the redirect for its handshake, and no tunnel', async () => {
  const { port, seen } = await redirecting()
  const client = await RawClient.open(port)
  client.write(
    head(
      'GET',
      '/socket',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  )
  const { status, headers } = await client.response()
  expect([status, headers['location']]).toEqual([308, 'https://example.com/socket'])
  await client.closed()
  expect(seen).toEqual([])
})

test('without a Host nobody knows where to: refused, not served', async () => {
  const { port, seen } = await redirecting()
  expect((await rawRequest(port, 'GET / HTTP/1.0\r\n\r\n')).status).toBe(400)
  expect(seen).toEqual([])
})

test('the rest of a body is not taken for a request', async () => {
  const { port, seen } = await redirecting()
  const client = await RawClient.open(port)
  const smuggled = head('GET', '/smuggled')
  client.write(head('POST', '/', `Content-Length: ${smuggled.length}`) + smuggled + head('GET', '/next'))
  expect((await client.response()).headers['location']).toBe('https://example.com/')
  expect((await client.response()).headers['location']).toBe('https://example.com/next')
  client.close()
  expect(seen).toEqual([])
})

test('a guarded route redirects before anybody is asked for authorization', async () => {
  const action = { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] } as const
  const table = aTable([aHost('example.com', [aRoute('web', { action, sslRedirect: true })])], { web: [1] })
  // `noAuthorizer` throws where it is asked, which would be a 500.
  const { port } = await proxy(aSnapshot(table), {}, noAuthorizer)
  const { status } = await rawRequest(port, head('GET', '/', 'Authorization: Bearer secret'))
  expect(status).toBe(308)
})

test('a closed route says nothing of itself over plain HTTP', async () => {
  const action = { kind: 'closed', reason: 'PluginNotFound', message: 'no plugin default/secret' } as const
  const { port } = await redirecting({}, { action })
  const { status, body } = await rawRequest(port, head('GET', '/'))
  expect([status, body]).toEqual([308, ''])
})

test('a path that could be read as another is refused before it is sent anywhere', async () => {
  const { port } = await redirecting()
  for (const target of ['/../x', '/a/%2e%2e/b', '//evil.test/x', '/a\\b']) {
    const { status, headers } = await rawRequest(port, head('GET', target))
    expect([target, status, headers['location']]).toEqual([target, 400, undefined])
  }
})
