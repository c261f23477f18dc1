import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLoginApp, type Echoed, type LoginApp } from '../../support/login-app.ts'
import { RedisProcess, redisRequirement } from '../../support/redis-server.ts'

/** Groups that do not compress, of which ID token and access token hold so many characters each. */
function groups(characters: number): readonly string[] {
  return Array.from({ length: Math.ceil(characters / 32) }, () => randomBytes(16).toString('hex'))
}

function startApp(characters: number, spec: object = {}): Promise<LoginApp> {
  const user = { id: '00u1alice', login: 'alice@example.com', name: 'Alice', groups: groups(characters) }
  return startLoginApp({ scopes: ['openid', 'profile', 'email'], ...spec }, { server: { users: [user] } })
}

function expectSmallCookies(response: Response): void {
  const cookies = response.headers.getSetCookie()
  expect(cookies.length).toBeGreaterThan(0)
  for (const cookie of cookies) expect(Buffer.byteLength(cookie)).toBeLessThanOrEqual(4096)
}

describe('peers 1: tokens that are larger than a cookie', () => {
  test('with a 12 KB ID token login succeeds with sessions in cookies', async () => {
    const { browser } = await startApp(6_000)
    expectSmallCookies(await browser.login('/app'))
    const page = await browser.navigate('/app')
    expect(page.status).toBe(200)
    const { headers } = (await page.json()) as Echoed
    expect(headers['Authorization']?.[0]?.length).toBeGreaterThan(8_000)
  })

  test('beyond the cap there is a page and a count, and no second login', async () => {
    const { browser, ostiary } = await startApp(30_000)
    const refused = await browser.login('/app')
    expect([refused.status, refused.headers.get('location')]).toEqual([400, null])
    expect(refused.headers.get('content-type')).toContain('text/html')
    expect(await refused.text()).toContain('too many groups or claims')
    expect(browser.hasSession).toBe(false)
    const decisions = ostiary.metrics().find(({ name }) => name === 'ostiary_auth_decisions_total')
    expect(decisions?.values).toContainEqual({
      value: 1,
      labels: expect.objectContaining({ plugin: 'default/app', reason: 'too_large' }) as object,
    })
  })

  test('the cap is what the plugin says', async () => {
    const { browser, apply } = await startApp(2_000, { sessionCookieMaxsize: 1_024 })
    expect((await browser.login('/app')).status).toBe(400)
    apply({ sessionCookieMaxsize: 16_384 })
    expect((await browser.login('/app')).status).toBe(302)
  })
})

describe.skipIf(redisRequirement())('peers 1: large tokens in Redis', () => {
  let redis: RedisProcess
  beforeAll(async () => {
    redis = await RedisProcess.start()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  test('far beyond what cookies take, a login succeeds and sets one small cookie', async () => {
    const { browser } = await startApp(20_000, {
      sessionStorage: 'redis',
      redis: { host: '127.0.0.1', port: redis.port },
      upstreamAccessTokenHeader: '',
    })
    const landed = await browser.login('/app')
    expectSmallCookies(landed)
    const session = landed.headers.getSetCookie().filter((each) => /_os_\d=/.test(each))
    expect(session).toHaveLength(1)
    expect(session.join().length).toBeLessThan(300)
    expect((await browser.navigate('/app')).status).toBe(200)
  })
})
