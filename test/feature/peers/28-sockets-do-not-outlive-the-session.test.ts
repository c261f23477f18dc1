import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ingress } from '../../support/manifests.ts'
import { RedisProcess, redisRequirement } from '../../support/redis-server.ts'
import { WebBrowser } from '../../support/web-browser.ts'
import { startWebSocketApp, type WebSocketApp } from '../../support/web-socket-app.ts'
import type { WebSocketClient } from '../../support/web-socket.ts'

const SESSIONS = ['session', 'authorization_code']
const ON = { authMethods: SESSIONS, closeUpgradedConnections: true }

/** Cut on both sides, after no more than five seconds on the clock that Ostiary goes by. */
async function expectCut(world: WebSocketApp, socket: WebSocketClient): Promise<void> {
  const sides = world.upstream.sockets.length
  const gone = once(world.upstream.sockets[sides - 1] as Socket, 'close')
  await world.pass(5, socket)
  expect(await socket.raw.closed()).toBe('')
  await gone
}

/** The seconds until it is no longer open. */
async function secondsUntilCut(
  world: WebSocketApp,
  socket: WebSocketClient,
  atMost: number,
): Promise<number> {
  for (let seconds = 0; seconds < atMost; seconds += 1) {
    if (!socket.isOpen) return seconds
    await world.pass(1, socket)
    if (world.timers.pending === 0) {
      await socket.raw.closed()
      return seconds + 1
    }
  }
  throw new Error('it is still open')
}

function refreshes({ authorizationServer }: WebSocketApp): number {
  return authorizationServer.faults.calls.filter(
    ({ endpoint, parameters }) => endpoint === 'token' && parameters['grant_type'] === 'refresh_token',
  ).length
}

describe.skipIf(redisRequirement())('peers 28: sockets and sessions in Redis', () => {
  let redis: RedisProcess
  beforeAll(async () => {
    redis = await RedisProcess.start()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  function app(spec: object = {}, instances = 1): Promise<WebSocketApp> {
    const inRedis = { sessionStorage: 'redis', redis: { host: '127.0.0.1', port: redis.port } }
    return startWebSocketApp({ instances, spec: { ...ON, ...inRedis, ...spec } })
  }

  test('a logout at another replica closes the socket within five seconds, and only that one', async () => {
    const world = await app({}, 2)
    const bob = new WebBrowser(world.browser.origin)
    await world.browser.login('/app')
    await bob.login('/app', 'bob@example.com')
    const others = await world.open(world.headers(bob))
    const socket = await world.open()
    await world.pass(30, socket, others)
    expect(await socket.echo('hello')).toBe('hello')
    const { url } = world.ostiaries[1]!
    const signOut = await world.browser.send(`${url}/oauth2/sign_out`, {
      method: 'POST',
      headers: { cookie: world.headers()['Cookie'] ?? '', origin: url, 'sec-fetch-site': 'same-origin' },
    })
    expect(signOut.status).toBeLessThan(400)
    await expectCut(world, socket)
    expect(await others.echo('still here')).toBe('still here')
  })

  test('a refresh does not close it', async () => {
    const world = await app()
    world.authorizationServer.faults.accessTokenSeconds = 30
    await world.browser.login('/app')
    const socket = await world.open()
    await world.pass(100, socket)
    expect(await socket.echo('hello')).toBe('hello')
    expect(refreshes(world)).toBeGreaterThan(2)
  })

  test('a session that can no longer be refreshed closes it', async () => {
    const world = await app()
    world.authorizationServer.faults.accessTokenSeconds = 30
    await world.browser.login('/app')
    const socket = await world.open()
    world.authorizationServer.faults.answer('token', { status: 400, body: { error: 'invalid_grant' } })
    expect(await secondsUntilCut(world, socket, 40)).toBeLessThanOrEqual(35)
  })

  test('the absolute timeout closes it', async () => {
    const world = await app({ sessionAbsoluteTimeout: 60 })
    await world.browser.login('/app')
    const socket = await world.open()
    await world.pass(55, socket)
    expect(await socket.echo('hello')).toBe('hello')
    await expectCut(world, socket)
  })

  test('it is no use of the session', async () => {
    const world = await app({ sessionIdlingTimeout: 60 })
    await world.browser.login('/app')
    const socket = await world.open()
    expect(await secondsUntilCut(world, socket, 70)).toBeLessThanOrEqual(65)
    expect((await world.browser.script('/app')).status).toBe(401)
  })

  test('a Redis that stays away closes it, since nobody can tell of a logout', async () => {
    const world = await app()
    await world.browser.login('/app')
    const socket = await world.open()
    await world.pass(4, socket)
    await redis.kill()
    expect(await secondsUntilCut(world, socket, 10)).toBeLessThanOrEqual(5)
    await redis.start()
  })
})

describe('peers 28: sockets and sessions in cookies', () => {
  test('the absolute timeout closes the socket within five seconds', async () => {
    const world = await startWebSocketApp({ spec: { ...ON, sessionAbsoluteTimeout: 600 } })
    await world.browser.login('/app')
    const socket = await world.open()
    await world.pass(595, socket)
    expect(await socket.echo('hello')).toBe('hello')
    await expectCut(world, socket)
  })

  test("the page's refresh does not close it, and it refreshes nothing itself", async () => {
    const world = await startWebSocketApp({ spec: ON })
    world.authorizationServer.faults.accessTokenSeconds = 60
    await world.browser.login('/app')
    const socket = await world.open()
    await world.pass(58, socket)
    expect((await world.browser.script('/app')).status).toBe(200)
    expect(refreshes(world)).toBe(1)
    await world.pass(200, socket)
    expect(await socket.echo('hello')).toBe('hello')
    expect(refreshes(world)).toBe(1)
    // The refresh token that the page has is still the newest.
    expect((await world.browser.script('/app')).status).toBe(200)
  })

  test('an access token that cannot be refreshed closes it when it expires', async () => {
    const world = await startWebSocketApp({ spec: { ...ON, scopes: ['openid', 'profile'] } })
    world.authorizationServer.faults.accessTokenSeconds = 60
    await world.browser.login('/app')
    const socket = await world.open()
    await world.pass(55, socket)
    expect(await socket.echo('hello')).toBe('hello')
    expect(await secondsUntilCut(world, socket, 10)).toBeLessThanOrEqual(10)
  })
})

describe('peers 28: sockets and routes', () => {
  async function opened(spec: object = ON): Promise<{ world: WebSocketApp; socket: WebSocketClient }> {
    const world = await startWebSocketApp({ spec })
    await world.browser.login('/app', 'bob@example.com')
    const socket = await world.open()
    await world.pass(10, socket)
    expect(await socket.echo('hello')).toBe('hello')
    return { world, socket }
  }

  test('a tightened route closes the sockets of those that it now refuses', async () => {
    const { world, socket } = await opened()
    world.apply({ groupsRequired: ['Engineering'] })
    await expectCut(world, socket)
  })

  test('a route whose plugin is gone closes them', async () => {
    const { world, socket } = await opened()
    world.applyOnly(ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'app' } }))
    await expectCut(world, socket)
  })

  test('a deleted route closes them', async () => {
    const { world, socket } = await opened()
    world.applyOnly()
    await expectCut(world, socket)
  })

  test('a route of somebody else in its place closes them', async () => {
    const { world, socket } = await opened()
    world.applyOnly(ingress({ name: 'other', path: '/app', service: 'missing' }))
    await expectCut(world, socket)
  })

  test('without the field nothing closes them', async () => {
    const { world, socket } = await opened({ authMethods: SESSIONS, sessionAbsoluteTimeout: 60 })
    world.apply({ groupsRequired: ['Engineering'] })
    world.applyOnly()
    await world.pass(120, socket)
    expect(await socket.echo('still here')).toBe('still here')
  })
})

describe('peers 28: sockets and tokens', () => {
  test('a bearer token that expires closes the socket that it opened', async () => {
    const world = await startWebSocketApp({
      spec: { authMethods: ['bearer'], closeUpgradedConnections: true, leeway: 0 },
    })
    const token = await world.authorizationServer.sign(
      {
        iss: world.authorizationServer.issuer,
        aud: 'api://default',
        sub: 'alice@example.com',
        iat: Math.floor(world.timers.now() / 1000),
        exp: Math.floor(world.timers.now() / 1000) + 60,
      },
      { typ: 'at+jwt' },
    )
    const socket = await world.open({ Authorization: `Bearer ${token}` })
    await world.pass(58, socket)
    expect(await socket.echo('hello')).toBe('hello')
    await expectCut(world, socket)
  })
})
