import { describe, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { ingress } from '../support/manifests.ts'
import { RawClient } from '../support/raw-http.ts'
import { WebBrowser } from '../support/web-browser.ts'
import { startWebSocketApp, type WebSocketApp } from '../support/web-socket-app.ts'
import { handshake, WebSocketClient } from '../support/web-socket.ts'

const LOGIN = { authMethods: ['session', 'bearer', 'authorization_code'] }

async function tokenOf({ authorizationServer, timers }: WebSocketApp): Promise<string> {
  const iat = Math.floor(timers.now() / 1000)
  const claims = { iss: authorizationServer.issuer, aud: 'api://default', sub: 'alice', iat, exp: iat + 3600 }
  return authorizationServer.sign(claims, { typ: 'at+jwt' })
}

describe('a WebSocket with a session', () => {
  async function signedIn(spec: object = {}): Promise<WebSocketApp> {
    const world = await startWebSocketApp({ spec: { ...LOGIN, ...spec } })
    await world.browser.login('/app')
    return world
  }

  test('passes from a page of its own origin, and its upstream learns who it is and not the cookie', async () => {
    const world = await signedIn({ upstreamHeadersClaims: ['sub'], upstreamHeadersNames: ['X-Sub'] })
    const socket = await world.open()
    expect(await socket.echo('hello')).toBe('hello')
    const headers = world.upstream.requests[0]?.headers
    expect(headers?.authorization).toMatch(/^Bearer eyJ/)
    expect(headers?.['x-sub']).toBe('alice@example.com')
    expect(headers?.cookie).toBeUndefined()
    expect(headers?.upgrade).toBe('websocket')
  })

  test.each<[string, (own: Record<string, string>) => Record<string, string>, number]>([
    ['of another origin', (own) => ({ ...own, Origin: 'https://evil.example' }), 403],
    ['of another port of the host', (own) => ({ ...own, Origin: 'http://127.0.0.1:1' }), 403],
    ['of an opaque origin', (own) => ({ ...own, Origin: 'null' }), 403],
    ['that says no origin', ({ Origin: _, ...own }) => own, 403],
    ['of its own site', ({ Origin: _, ...own }) => ({ ...own, 'Sec-Fetch-Site': 'same-site' }), 403],
    [
      'of its own origin by Fetch Metadata',
      ({ Origin: _, ...own }) => ({ ...own, 'Sec-Fetch-Site': 'same-origin' }),
      101,
    ],
    ['of an allowed origin', (own) => ({ ...own, Origin: 'https://chat.example' }), 101],
  ])('a page %s', async (_name, change, status) => {
    const world = await signedIn({ allowedOrigins: ['https://chat.example'] })
    expect(await world.status(change(world.headers()))).toBe(status)
    expect(world.upstream.requests).toHaveLength(status === 101 ? 1 : 0)
  })

  test('is no place to sign in, call back or sign out', async () => {
    const world = await signedIn()
    const headers = { ...world.headers(), Accept: 'text/html' }
    for (const name of ['start', 'callback', 'sign_out', 'userinfo', 'auth', 'backchannel_logout']) {
      expect(await world.status(headers, `/oauth2/${name}`)).toBe(404)
    }
    expect((await world.browser.script('/app')).status).toBe(200)
    expect(world.upstream.requests).toEqual([])
  })
})

describe('a WebSocket with a token', () => {
  test('passes whatever its origin', async () => {
    const world = await startWebSocketApp({ spec: LOGIN })
    const headers = { Authorization: `Bearer ${await tokenOf(world)}`, Origin: 'https://elsewhere.example' }
    const socket = await world.open(headers)
    expect(await socket.echo('hello')).toBe('hello')
    expect(world.upstream.requests[0]?.headers['x-credential-identifier']).toBe('alice')
  })

  test('passes over TLS', async () => {
    const proxy = {
      https: { host: '127.0.0.1', port: 0 },
      defaultCertificate: await createDefaultCertificate(new Date()),
    }
    const world = await startWebSocketApp({ spec: LOGIN, ostiary: { proxy } })
    const { httpsPort = 0 } = world.ostiaries[0]!
    const raw = await RawClient.openTls({ port: httpsPort })
    const headers = { Authorization: `Bearer ${await tokenOf(world)}` }
    const socket = await WebSocketClient.open(raw, handshake('/app/chat', `127.0.0.1:${httpsPort}`, headers))
    expect(await socket.echo('x'.repeat(50_000))).toBe('x'.repeat(50_000))
    raw.close()
  })
})

describe('a WebSocket that is refused gets an ordinary response, never a redirect', () => {
  test.each([
    ['without a credential', {}, 401],
    ['with a bad token', { Authorization: 'Bearer bad' }, 401],
    ['with a bad session', { Cookie: 'ostiary_01234567_os_0=bad' }, 401],
  ])('%s', async (_name, headers, status) => {
    const world = await startWebSocketApp({ spec: LOGIN })
    const { port } = world.ostiaries[0]!
    const client = await RawClient.open(port)
    client.write(handshake('/app', `127.0.0.1:${port}`, { ...headers, Accept: 'text/html' }))
    const response = await client.response()
    expect(response.status).toBe(status)
    expect(response.headers['www-authenticate']).toMatch(/^Bearer realm=/)
    expect(response.headers['content-type']).toBe('application/problem+json')
    expect(response.headers).not.toHaveProperty('location')
    expect(await client.closed()).toBe('')
    expect(world.upstream.requests).toEqual([])
  })

  test('by a required group', async () => {
    const world = await startWebSocketApp({ spec: { ...LOGIN, groupsRequired: ['Engineering'] } })
    const bob = new WebBrowser(world.browser.origin)
    await bob.login('/app', 'bob@example.com')
    expect(await world.status(world.headers(bob))).toBe(403)
    expect(world.upstream.requests).toEqual([])
  })

  test('where the plugin is missing', async () => {
    const world = await startWebSocketApp({ spec: LOGIN })
    world.applyOnly(ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'missing' } }))
    expect(await world.status({ Authorization: `Bearer ${await tokenOf(world)}` })).toBe(503)
    expect(world.upstream.requests).toEqual([])
  })
})
