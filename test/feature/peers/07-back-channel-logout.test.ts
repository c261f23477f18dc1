import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLoginApp, type Echoed } from '../../support/login-app.ts'
import { RedisProcess, redisRequirement } from '../../support/redis-server.ts'
import { startReplicas, type Replicas } from '../../support/replicas.ts'
import { WebBrowser } from '../../support/web-browser.ts'

const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} }
const ALICE = '00u1alicePqRsTuVw5d7'

let lastJti = 0

function logoutToken({ authorizationServer, clock }: Replicas, claims: object = {}): Promise<string> {
  const iat = Math.floor(clock.now() / 1000)
  lastJti += 1
  const all = {
    iss: authorizationServer.issuer,
    aud: 'ostiary',
    iat,
    exp: iat + 120,
    jti: `jti-${lastJti}`,
    events: EVENTS,
    sub: ALICE,
    ...claims,
  }
  return authorizationServer.sign(all, { typ: 'logout+jwt' })
}

/** As the authorization server's back end does it: no browser, no cookies, no Origin. */
function post(url: string, token: string): Promise<Response> {
  return fetch(`${url}/oauth2/backchannel_logout`, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: token }),
  })
}

/** The browser's session as each replica sees it. */
async function statuses({ ostiaries }: Replicas, browser: WebBrowser): Promise<readonly number[]> {
  const cookie = browser.jar.header(new URL(browser.origin))
  const headers = { 'sec-fetch-mode': 'cors', cookie }
  const answers = await Promise.all(ostiaries.map(({ url }) => browser.send(`${url}/app`, { headers })))
  return answers.map(({ status }) => status)
}

/** Signs in and tells the `sid` of the login. */
async function sidOf(browser: WebBrowser): Promise<string> {
  await browser.login('/app')
  const { headers } = (await (await browser.navigate('/app')).json()) as Echoed
  const [sid = ''] = headers['X-Sid'] ?? []
  expect(sid).not.toBe('')
  return sid
}

describe.skipIf(redisRequirement())('peers 7: back-channel logout', () => {
  let redis: RedisProcess
  beforeAll(async () => {
    redis = await RedisProcess.start()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  function replicas(count = 3, server: { readonly sessionIds?: boolean } = {}): Promise<Replicas> {
    const spec = {
      sessionStorage: 'redis',
      redis: { host: '127.0.0.1', port: redis.port },
      upstreamHeaders: [{ header: 'X-Sid', path: ['sid'] }],
    }
    return startReplicas(count, spec, server)
  }

  test('at one replica ends the sessions of a user on all of them within a second, in every browser', async () => {
    const world = await replicas()
    const elsewhere = new WebBrowser(world.browser.origin)
    const bob = new WebBrowser(world.browser.origin)
    await world.browser.login('/app')
    await elsewhere.login('/app')
    await bob.login('/app', 'bob@example.com')
    for (const browser of [world.browser, elsewhere, bob]) {
      expect(await statuses(world, browser)).toEqual([200, 200, 200])
    }
    const answer = await post(world.ostiaries[1]!.url, await logoutToken(world))
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    world.clock.advance(1000)
    expect(await statuses(world, world.browser)).toEqual([401, 401, 401])
    expect(await statuses(world, elsewhere)).toEqual([401, 401, 401])
    expect(await statuses(world, bob)).toEqual([200, 200, 200])
  })

  test('takes a token once among all replicas, so that nobody signs a user out again with it', async () => {
    const world = await replicas(2)
    const [one, two] = world.ostiaries
    const token = await logoutToken(world)
    expect((await post(one!.url, token)).status).toBe(200)
    await world.browser.login('/app')
    const replay = await post(two!.url, token)
    expect(replay.status).toBe(400)
    expect(await replay.json()).toMatchObject({ error_description: 'jti was used before' })
    world.clock.advance(1000)
    expect(await statuses(world, world.browser)).toEqual([200, 200])
    expect((await post(two!.url, await logoutToken(world))).status).toBe(200)
  })

  test('with a sid ends that login alone', async () => {
    const world = await replicas(2, { sessionIds: true })
    const elsewhere = new WebBrowser(world.browser.origin)
    const sid = await sidOf(world.browser)
    expect(await sidOf(elsewhere)).not.toBe(sid)
    expect((await post(world.ostiaries[1]!.url, await logoutToken(world, { sid }))).status).toBe(200)
    world.clock.advance(1000)
    expect(await statuses(world, world.browser)).toEqual([401, 401])
    expect(await statuses(world, elsewhere)).toEqual([200, 200])
  })

  test("in a frame of the authorization server's page ends that login on all replicas, without its cookie", async () => {
    const world = await replicas(2, { sessionIds: true })
    world.apply({ frontchannelLogout: true })
    const elsewhere = new WebBrowser(world.browser.origin)
    const query = new URLSearchParams({
      iss: world.authorizationServer.issuer,
      sid: await sidOf(world.browser),
    })
    await sidOf(elsewhere)
    const frame = await new WebBrowser(world.ostiaries[1]!.url).send(`/oauth2/sign_out?${query.toString()}`, {
      headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    })
    expect([frame.status, frame.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(frame.headers.get('content-security-policy')).toBeNull()
    world.clock.advance(1000)
    expect(await statuses(world, world.browser)).toEqual([401, 401])
    expect(await statuses(world, elsewhere)).toEqual([200, 200])
  })

  test.each<[string, (world: Replicas) => Promise<string>]>([
    ['of a foreign issuer', (world) => logoutToken(world, { iss: 'https://evil.example' })],
    ['for another client', (world) => logoutToken(world, { aud: 'other' })],
    ['that is an ID token', (world) => logoutToken(world, { nonce: 'n' })],
    ['without the event', (world) => logoutToken(world, { events: {} })],
    ['whose signature does not match', async (world) => `${(await logoutToken(world)).slice(0, -6)}AAAAAA`],
  ])('refuses a token %s with 400, and the session stays', async (_name, make) => {
    const world = await replicas(1)
    await world.browser.login('/app')
    const answer = await post(world.ostiaries[0]!.url, await make(world))
    expect(answer.status).toBe(400)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' })
    world.clock.advance(1000)
    expect(await statuses(world, world.browser)).toEqual([200])
  })

  test('takes a token once: a copy does not end the next session', async () => {
    const world = await replicas(1)
    const [{ url }] = world.ostiaries as [Replicas['ostiaries'][number]]
    const token = await logoutToken(world)
    expect((await post(url, token)).status).toBe(200)
    await world.browser.login('/app')
    expect((await post(url, token)).status).toBe(400)
    world.clock.advance(1000)
    expect(await statuses(world, world.browser)).toEqual([200])
  })

  test('is refused while Redis is down, and works when it is sent again', async () => {
    const own = await RedisProcess.start()
    const spec = { sessionStorage: 'redis', redis: { host: '127.0.0.1', port: own.port, readTimeout: 1_000 } }
    const world = await startReplicas(1, spec)
    const [{ url }] = world.ostiaries as [Replicas['ostiaries'][number]]
    await world.browser.login('/app')
    const token = await logoutToken(world)
    own.pause()
    expect((await post(url, token)).status).toBe(400)
    own.resume()
    expect((await post(url, token)).status).toBe(200)
    world.clock.advance(1000)
    expect(await statuses(world, world.browser)).toEqual([401])
    await own[Symbol.asyncDispose]()
  })
})

describe('peers 7: sessions in cookies', () => {
  test('refuse the setting with a condition, and answer 501 without it', async () => {
    const app = await startLoginApp()
    const { url } = app.ostiary
    expect((await post(url, 'a.b.c')).status).toBe(501)
    const { statuses: conditions } = app.apply({ backchannelLogout: true })
    const accepted = conditions
      .find(({ kind }) => kind === 'OIDCPlugin')
      ?.conditions.find(({ type }) => type === 'Accepted')
    expect(accepted).toMatchObject({ status: 'False' })
    expect(accepted?.message).toContain('backchannelLogout')
    expect((await post(url, 'a.b.c')).status).toBe(503)
  })
})
