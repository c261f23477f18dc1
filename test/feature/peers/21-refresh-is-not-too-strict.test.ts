import { describe, expect, test } from 'vitest'
import { askAll, refreshes, startReplicas, type Replicas } from '../../support/replicas.ts'

const HOUR_MS = 3_600_000
const NAMES = { upstreamHeaders: [{ header: 'x-user', path: ['preferred_username'] }] }

async function signedIn(spec: object = {}): Promise<Replicas> {
  const world = await startReplicas(1, { ...NAMES, ...spec })
  await world.browser.login('/app')
  return world
}

async function userSeen(response: Response): Promise<unknown> {
  expect(response.status).toBe(200)
  const { headers } = (await response.json()) as { headers: Record<string, unknown> }
  return headers['X-User']
}

describe('peers 21: refresh is as strict as it has to be', () => {
  test('an answer without an ID token keeps the identity', async () => {
    const world = await signedIn()
    world.authorizationServer.faults.refreshesIdToken = false
    for (let hour = 1; hour <= 3; hour += 1) {
      world.clock.advance(HOUR_MS)
      expect(await userSeen(await world.browser.navigate('/app'))).toEqual(['alice@example.com'])
      expect(refreshes(world)).toBe(hour)
    }
  })

  test("an ID token's expiry alone never ends a session", async () => {
    const world = await startReplicas(1, { ...NAMES, scopes: ['openid', 'profile'] })
    world.authorizationServer.faults.accessTokenSeconds = 3 * 3600
    await world.browser.login('/app')
    world.clock.advance(1.9 * HOUR_MS)
    expect(await userSeen(await world.browser.navigate('/app'))).toEqual(['alice@example.com'])
  })

  test('invalid_grant ends the session and clears its cookie: a navigation signs in, a script is told', async () => {
    const world = await signedIn()
    world.authorizationServer.faults.deactivateUser('alice@example.com')
    world.clock.advance(HOUR_MS)
    const script = await world.browser.send('/app', {
      headers: { 'sec-fetch-mode': 'cors', cookie: world.browser.jar.header(new URL(world.browser.origin)) },
    })
    expect(script.status).toBe(401)
    expect(script.headers.getSetCookie().join()).toMatch(/_os_0=; Max-Age=0/)
    expect(world.browser.hasSession).toBe(false)
    expect((await world.browser.navigate('/app')).status).toBe(302)
  })

  test.each([
    ['refuses connections', 'refused'],
    ['answers 503', 'unavailable'],
  ] as const)('a server that %s ends nothing before the access token expires', async (_name, how) => {
    const world = await signedIn()
    world.clock.advance(HOUR_MS - 10_000)
    await world.authorizationServer.faults.down(how)
    expect((await world.browser.navigate('/app')).status).toBe(200)
    world.clock.advance(9_000)
    expect((await world.browser.navigate('/app')).status).toBe(200)

    world.clock.advance(1_000)
    const unavailable = await world.browser.navigate('/app')
    expect([unavailable.status, unavailable.headers.get('location')]).toEqual([503, null])
    expect(Number(unavailable.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(world.browser.hasSession).toBe(true)

    await world.authorizationServer.faults.up()
    world.clock.advance(5_000)
    expect(await userSeen(await world.browser.navigate('/app'))).toEqual(['alice@example.com'])
  })

  test('a server that does not answer in time ends nothing either', async () => {
    const world = await signedIn({ timeout: 100 })
    world.authorizationServer.faults.slow(400, ['token'])
    world.clock.advance(HOUR_MS - 10_000)
    expect((await world.browser.navigate('/app')).status).toBe(200)
    world.clock.advance(10_000)
    expect((await world.browser.navigate('/app')).status).toBe(503)
    expect(world.browser.hasSession).toBe(true)
  })

  test('a server that is down is not asked again by every request', async () => {
    const world = await signedIn()
    world.clock.advance(HOUR_MS)
    world.authorizationServer.faults.answer('token', { status: 500, body: {} })
    for (let round = 0; round < 5; round += 1) await askAll(world, 10)
    expect(refreshes(world)).toBe(1)
  })

  test('a client secret that was changed is 503 after expiry, and no login; once it is mended, it goes on', async () => {
    const world = await signedIn()
    const refused = { status: 401, body: { error: 'invalid_client' } }
    world.authorizationServer.faults.answer('token', refused)
    world.clock.advance(HOUR_MS)
    expect((await world.browser.navigate('/app')).status).toBe(503)
    expect(world.browser.hasSession).toBe(true)
    world.authorizationServer.faults.clear()
    world.clock.advance(30_000)
    expect((await world.browser.navigate('/app')).status).toBe(200)
  })

  test('the session cookie is issued anew after a refresh', async () => {
    const world = await signedIn()
    world.clock.advance(HOUR_MS)
    const page = await world.browser.navigate('/app')
    expect(page.headers.getSetCookie().join()).toMatch(/_os_0=1\./)
    expect(page.headers.get('cache-control')).toContain('no-store')
    expect((await world.browser.navigate('/app')).headers.getSetCookie()).toEqual([])
  })

  test('a session whose refresh gives the tokens of somebody else ends', async () => {
    const world = await signedIn()
    const { issuer } = world.authorizationServer
    const idToken = await world.authorizationServer.sign({
      iss: issuer,
      aud: 'ostiary',
      sub: 'somebody-else',
      iat: Math.floor(Date.now() / 1000),
      exp: Math.floor(Date.now() / 1000) + 3600,
    })
    const body = { access_token: 'x', token_type: 'Bearer', expires_in: 3600, id_token: idToken }
    world.authorizationServer.faults.answer('token', { status: 200, body })
    world.clock.advance(HOUR_MS)
    expect((await world.browser.navigate('/app')).status).toBe(302)
    expect(world.browser.hasSession).toBe(false)
  })

  test('without refreshTokens, or without a refresh token, a session ends with its access token', async () => {
    for (const spec of [{ refreshTokens: false }, { scopes: ['openid'] }]) {
      const world = await signedIn(spec)
      world.clock.advance(HOUR_MS)
      expect((await world.browser.navigate('/app')).status).toBe(302)
      expect(refreshes(world)).toBe(0)
    }
  })

  test('an unsafe method refreshes without a redirect (peers 24: idle POST)', async () => {
    const world = await signedIn()
    world.clock.advance(HOUR_MS)
    const answer = await world.browser.script('/app', { method: 'POST', body: 'x=1' })
    expect(answer.status).toBe(200)
    expect(refreshes(world)).toBe(1)
  })
})
