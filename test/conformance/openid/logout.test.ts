import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nowSeconds } from '../../../src/clock.ts'
import { RedisProcess, redisRequirement } from '../../support/redis-server.ts'
import type { WebBrowser } from '../../support/web-browser.ts'
import { BYE, CLIENT, Suite, USER_INFO, without, type Claims } from './suite.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

async function signedIn(spec: Record<string, unknown> = {}): Promise<{ suite: Suite; browser: WebBrowser }> {
  const suite = await Suite.start(spec)
  const browser = suite.browser()
  await suite.expectAccepted(await suite.login({}, browser), browser)
  return { suite, browser }
}

/** Ends the session here; gives where the authorization server is asked to end its own. */
async function logOut(suite: Suite, browser: WebBrowser): Promise<URLSearchParams> {
  const location = browser.locationOf(await browser.navigate('/oauth2/sign_out', 'same-origin'))
  expect(location.href.split('?')[0]).toBe(`${suite.server.issuer}/v1/logout`)
  expect(browser.hasSession).toBe(false)
  return location.searchParams
}

// oidcc-client-rp-initiated-logout-rp-basic. What the authorization server sends back in `state` decides nothing.
describe('RP-initiated logout', () => {
  test.each<[string, (state: string) => string]>([
    ['oidcc-client-test-rp-init-logout', (state) => `?state=${state}`],
    ['oidcc-client-test-rp-init-logout-other-state', (state) => `?state=${state}-other`],
    ['oidcc-client-test-rp-init-logout-no-state', () => ''],
  ])('%s', async (_module, queryOf) => {
    const { suite, browser } = await signedIn()
    const parameters = await logOut(suite, browser)
    expect(parameters.get('client_id')).toBe(CLIENT.id)
    expect(parameters.get('id_token_hint')).toMatch(/^eyJ/)
    expect(parameters.get('post_logout_redirect_uri')).toBe(suite.ostiary.url + BYE)
    const state = parameters.get('state') ?? ''
    expect(state).not.toBe('')
    expect((await browser.navigate(BYE + queryOf(state), 'cross-site')).status).toBe(200)
    expect((await browser.navigate('/app')).status).toBe(302)
  })
})

describe.skipIf(redisRequirement())('with sessions in Redis', () => {
  let redis: RedisProcess

  beforeAll(async () => {
    redis = await RedisProcess.start()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  function inRedis(): ReturnType<typeof signedIn> {
    const prefix = `${randomUUID()}:`
    return signedIn({
      sessionStorage: 'redis',
      redis: { host: '127.0.0.1', port: redis.port, prefix },
      frontchannelLogout: true,
    })
  }

  function logoutClaims(suite: Suite): Claims {
    const iat = nowSeconds(suite.clock)
    const { issuer } = suite.server
    const events = { [EVENT]: {} }
    const always = { iss: issuer, aud: CLIENT.id, iat, exp: iat + 120, jti: randomUUID(), events }
    return { ...always, sub: USER_INFO.sub, sid: 'sid-1', ignored_claim: 'is ignored' }
  }

  async function expectRefused(
    change: (right: Claims) => Claims = (right) => right,
    sign?: (claims: Claims, suite: Suite) => string | Promise<string>,
  ): Promise<void> {
    const { suite, browser } = await inRedis()
    const claims = change(logoutClaims(suite))
    const answer = await suite.backchannel(await (sign?.(claims, suite) ?? suite.server.sign({ ...claims })))
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([400, 'no-store'])
    expect((await browser.navigate('/app')).status).toBe(200)
    await logOut(suite, browser)
  }

  // oidcc-client-back-channel-logout-rp-basic. Here the session is alive when the logout token comes: it must end, or
  // stay, by that token alone.
  test('oidcc-client-test-rp-backchannel-rpinitlogout', async () => {
    const { suite, browser } = await inRedis()
    const answer = await suite.backchannel(await suite.server.sign({ ...logoutClaims(suite) }))
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    suite.clock.advance(1_000)
    expect((await browser.navigate('/app')).status).toBe(302)
    await logOut(suite, browser)
  })

  test('oidcc-client-test-rp-backchannel-rpinitlogout-alg-none', async () => {
    await expectRefused(undefined, (claims) => new UnsecuredJWT({ ...claims }).encode())
  })

  test('oidcc-client-test-rp-backchannel-rpinitlogout-no-event', async () => {
    await expectRefused(without('events'))
  })

  test('oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce', async () => {
    await expectRefused((right) => ({ ...right, nonce: 'nonce' }))
  })

  // As the suite does: with a key that is published. It is wrong since the server signs ID tokens with RS256 alone.
  test('oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const published = await exportJWK(publicKey)
    await expectRefused(undefined, (claims, suite) => {
      suite.publish(suite.server.signingKey.publicJwk, { ...published, kid: 'es' })
      suite.clock.advance(60_000)
      return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'es' }).sign(privateKey)
    })
  })

  test('oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud', async () => {
    await expectRefused((right) => ({ ...right, aud: `${CLIENT.id}INVALID` }))
  })

  test('oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event', async () => {
    await expectRefused((right) => ({ ...right, events: { 'http://schemas.openid.net/event/foobar': {} } }))
  })

  test('oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss', async () => {
    await expectRefused((right) => ({ ...right, iss: `${String(right['iss'])}INVALID` }))
  })

  // oidcc-client-front-channel-logout-rp-basic: a frame of another site, so that no cookie comes along.
  test.each([
    'oidcc-client-test-rp-frontchannel-rpinitlogout',
    'oidcc-client-test-rp-frontchannel-opinitlogout',
  ])('%s', async (module) => {
    const { suite, browser } = await inRedis()
    const frame = (sid: string): Promise<Response> =>
      fetch(
        `${suite.ostiary.url}/oauth2/sign_out?iss=${encodeURIComponent(suite.server.issuer)}&sid=${encodeURIComponent(sid)}`,
      )
    expect((await frame('of somebody else')).status).toBe(200)
    suite.clock.advance(1_000)
    expect((await browser.navigate('/app')).status).toBe(200)
    if (module.endsWith('rpinitlogout')) await logOut(suite, browser)
    expect((await frame('sid-1')).status).toBe(200)
    suite.clock.advance(1_000)
    expect((await browser.navigate('/app')).status).toBe(302)
  })
})
