import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientCredentialsToken } from '../demo/okta.ts'
import { startLoginApp, type LoginApp } from '../support/login-app.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ingress, oidcPlugin } from '../support/manifests.ts'
import { RedisProcess, redisRequirement } from '../support/redis-server.ts'
import { startWebSocketApp } from '../support/web-socket-app.ts'
import { WrittenLogs } from '../support/written-logs.ts'

const ALICE = { subject: '00u1alicePqRsTuVw5d7', username: 'alice@example.com' }
const HOUR_MS = 3_600_000

interface World extends LoginApp {
  readonly logs: WrittenLogs
  readonly clock: ManualClock
}

/** An application behind a login, and `/api` behind tokens and client credentials. */
async function start(spec: object = {}): Promise<World> {
  const logs = new WrittenLogs()
  const clock = new ManualClock(Date.now())
  const fields = {
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    // The authorization server stays behind when the clock is put forward.
    leeway: 30 * 86_400,
    sessionIdlingTimeout: 7200,
    sessionRollingTimeout: 14_400,
    logoutUriSuffix: '/logout',
    ...spec,
  }
  const app = await startLoginApp(fields, { recorder: logs.recorder, audit: logs.audit, clock })
  return { ...app, logs, clock }
}

function events(world: World): unknown[] {
  return world.logs.lines('audit').map(({ event, outcome }) => `${String(event)} ${String(outcome)}`)
}

test('a login, a refresh and a logout are told with who, by which plugin and from where', async () => {
  const world = await start()
  const { browser, clock, logs } = world
  await browser.login('/app')
  clock.advance(HOUR_MS)
  expect((await browser.navigate('/app')).status).toBe(200)
  expect((await browser.submit('/app/logout', '')).status).toBe(303)
  expect(events(world)).toEqual(['login ok', 'refresh ok', 'logout ok'])
  for (const line of logs.lines('audit')) {
    expect(line).toMatchObject({ ...ALICE, plugin: 'default/app', client: '127.0.0.1' })
  }
  expect(logs.lines('audit').map(({ path }) => path)).toEqual(['/oauth2/callback', '/app', '/app/logout'])
})

test('a refusal is told with its reason, its route, whom it met, and the trace', async () => {
  const world = await start({ groupsRequired: ['Nobody'] })
  const { browser, logs } = world
  expect((await browser.script('/app')).status).toBe(401)
  await browser.login('/app')
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
  expect((await browser.script('/app', { headers })).status).toBe(403)
  const refusals = logs.lines('audit').filter(({ event }) => event === 'refusal')
  expect(refusals).toMatchObject([
    { outcome: 'refused', reason: 'no_credential', route: 'default/app#0.0' },
    { outcome: 'refused', reason: 'missing_group', ...ALICE, traceId },
  ])
})

test('a refusal that is a redirect tells whom it met, too', async () => {
  const elsewhere = 'https://help.example.com/denied'
  const { browser, logs } = await start({ groupsRequired: ['Nobody'], forbiddenRedirectUri: elsewhere })
  await browser.login('/app')
  expect(browser.locationOf(await browser.navigate('/app')).href).toBe(elsewhere)
  expect(logs.lines('audit').at(-1)).toMatchObject({ event: 'refusal', reason: 'missing_group', ...ALICE })
})

test('a valid token that does not suffice is told with whom it names', async () => {
  const { apply, authorizationServer, logs, ostiary } = await start()
  const { issuer } = authorizationServer
  apply(
    {},
    oidcPlugin('api', { issuer, authMethods: ['bearer'], scopesRequired: ['orders.write'] }),
    ingress({ name: 'api', path: '/api', annotations: { 'ostiary.dev/plugins': 'api' } }),
  )
  const token = await clientCredentialsToken(authorizationServer)
  const authorization = `Bearer ${token}`
  expect((await fetch(`${ostiary.url}/api`, { headers: { authorization } })).status).toBe(403)
  expect(logs.lines('audit')).toMatchObject([
    { event: 'refusal', reason: 'insufficient_scope', subject: 'orders-service', username: 'orders-service' },
  ])
  expect(logs.text).not.toContain(token)
})

test.each([
  ['idling_timeout', {}, 7200],
  ['rolling_timeout', { sessionIdlingTimeout: 0 }, 14_400],
  ['absolute_timeout', { sessionAbsoluteTimeout: 7000 }, 7000],
])('a session that comes back after its %s is told, once', async (reason, spec, seconds) => {
  const world = await start(spec)
  const { browser, clock, logs } = world
  await browser.login('/app')
  const cookie = browser.jar.header(new URL(browser.origin))
  clock.advance(seconds * 1000)
  for (let i = 0; i < 3; i += 1) {
    expect((await fetch(`${browser.origin}/app`, { headers: { cookie } })).status).toBe(401)
  }
  expect(logs.lines('audit').filter(({ event }) => event === 'session')).toMatchObject([
    { outcome: 'expired', reason, plugin: 'default/app', client: '127.0.0.1', path: '/app', ...ALICE },
  ])
})

test('a WebSocket that is cut is told with whose it was', async () => {
  const logs = new WrittenLogs()
  const app = await startWebSocketApp({
    spec: { closeUpgradedConnections: true },
    ostiary: { audit: logs.audit },
  })
  await app.browser.login('/app')
  const socket = await app.open()
  app.apply({ groupsRequired: ['Nobody'] })
  await app.pass(5, socket)
  await socket.raw.closed()
  expect(logs.lines('audit').slice(1)).toMatchObject([
    {
      event: 'websocket',
      outcome: 'cut',
      reason: 'missing_group',
      path: '/app/chat',
      subject: ALICE.username,
    },
  ])
})

test('a login that fails is told as one', async () => {
  const world = await start()
  const answer = await world.browser.navigate('/oauth2/callback?state=made-up&code=secret')
  expect(answer.status).toBe(400)
  expect(world.logs.lines('audit')).toMatchObject([
    { event: 'login', outcome: 'refused', reason: 'invalid_callback', path: '/oauth2/callback' },
  ])
})

describe.skipIf(redisRequirement())('where sessions are in Redis', () => {
  let redis: RedisProcess
  beforeAll(async () => {
    redis = await RedisProcess.start()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  test('a logout by the back channel is told, and one with a bad token too', async () => {
    const world = await start({ sessionStorage: 'redis', redis: { host: '127.0.0.1', port: redis.port } })
    const { authorizationServer, browser, clock, logs, ostiary } = world
    await browser.login('/app')
    const iat = Math.floor(clock.now() / 1000)
    const claims = { iss: authorizationServer.issuer, aud: 'ostiary', iat, exp: iat + 120, jti: 'marked-jti' }
    const about = { sub: ALICE.subject, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }
    const token = await authorizationServer.sign({ ...claims, ...about }, { typ: 'logout+jwt' })
    for (const each of [token, 'marked-logout-token']) {
      const body = new URLSearchParams({ logout_token: each })
      await fetch(`${ostiary.url}/oauth2/backchannel_logout`, { method: 'POST', body })
    }
    expect(logs.lines('audit').slice(1)).toMatchObject([
      { event: 'logout', outcome: 'ok', channel: 'back', subject: ALICE.subject, plugin: 'default/app' },
      { event: 'logout', outcome: 'refused', channel: 'back' },
    ])
    expect(logs.text).not.toContain(token)
    expect(logs.text).not.toContain('marked-logout-token')
  })

  test('a logout by the front channel is told with the session that it names', async () => {
    const world = await start({
      sessionStorage: 'redis',
      redis: { host: '127.0.0.1', port: redis.port },
      frontchannelLogout: true,
    })
    const { authorizationServer, logs, ostiary } = world
    const query = `iss=${encodeURIComponent(authorizationServer.issuer)}&sid=session-1`
    expect((await fetch(`${ostiary.url}/oauth2/sign_out?${query}`)).status).toBe(200)
    const told = { event: 'logout', outcome: 'ok', channel: 'front', plugin: 'default/app' }
    expect(logs.lines('audit')).toMatchObject([{ ...told, serverSession: 'session-1' }])
  })

  test('a session that has ended there is told by a thread that knew it', async () => {
    const world = await start({ sessionStorage: 'redis', redis: { host: '127.0.0.1', port: redis.port } })
    const { browser, clock, logs } = world
    await browser.login('/app')
    await browser.navigate('/app')
    clock.advance(7200_000)
    for (let i = 0; i < 2; i += 1) expect((await browser.script('/app')).status).toBe(401)
    expect(logs.lines('audit').filter(({ event }) => event === 'session')).toMatchObject([
      { outcome: 'expired', reason: 'idling_timeout', ...ALICE },
    ])
  })
})

test('no flow leaves a token, code, cookie or secret in any line', async () => {
  const world = await start()
  const { apply, authorizationServer, browser, clock, logs, ostiary } = world
  const common = {
    issuer: authorizationServer.issuer,
    clientId: 'ostiary',
    clientSecretRef: { name: 'client' },
  }
  const guarded = (name: string): object =>
    ingress({ name, path: `/${name}`, annotations: { 'ostiary.dev/plugins': name } })
  apply(
    {},
    oidcPlugin('api', { ...common, authMethods: ['bearer', 'client_credentials'], scopes: ['orders.read'] }),
    guarded('api'),
    oidcPlugin('opaque', { ...common, authMethods: ['introspection'], introspectJwtTokens: true }),
    guarded('opaque'),
  )
  const secrets: string[] = ['ostiary-secret', 'orders-secret', 'marked-query-token', 'marked-bearer', 'eyJ']
  const token = await clientCredentialsToken(authorizationServer)
  secrets.push(token)
  const send = (path: string, authorization: string): Promise<Response> =>
    fetch(`${ostiary.url}${path}?access_token=marked-query-token`, { headers: { authorization } })
  const basic = (text: string): string => {
    const encoded = Buffer.from(text).toString('base64')
    secrets.push(encoded)
    return `Basic ${encoded}`
  }
  const statuses = [
    await send('/api', `Bearer ${token}`),
    await send('/api', 'Bearer marked-bearer'),
    await send('/api', basic('orders-service:orders-secret')),
    await send('/api', basic('orders-service:marked-bearer')),
    await send('/opaque', `Bearer ${token}`),
    await send('/opaque', 'Bearer marked-bearer'),
  ].map(({ status }) => status)
  expect(statuses).toEqual([200, 401, 200, 401, 200, 401])

  const start1 = await browser.navigate('/app')
  const location = browser.locationOf(start1)
  secrets.push(location.searchParams.get('state') ?? 'none', location.searchParams.get('nonce') ?? 'none')
  const callback = await browser.signIn(start1)
  secrets.push(callback.searchParams.get('code') ?? 'none')
  await browser.navigate(callback.href, 'cross-site')
  const cookies = (): string[] =>
    browser.jar
      .header(new URL(ostiary.url))
      .split('; ')
      .map((each) => each.slice(each.indexOf('=') + 1))
  secrets.push(...cookies())
  clock.advance(HOUR_MS)
  expect((await browser.navigate('/app')).status).toBe(200)
  secrets.push(...cookies())
  expect((await browser.submit('/app/logout', '')).status).toBe(303)
  await browser.navigate(callback.href, 'cross-site')

  expect(logs.lines('access').length).toBeGreaterThan(9)
  expect(events(world)).toEqual(
    expect.arrayContaining(['login ok', 'refresh ok', 'logout ok', 'refusal refused']),
  )
  const told = secrets.filter((secret) => secret.length > 2 && logs.text.includes(secret))
  expect(told).toEqual([])
})
