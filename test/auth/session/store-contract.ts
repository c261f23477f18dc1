import { describe, expect, test } from 'vitest'
import { factsOf } from '../relying-party/browser.ts'
import { jwtOf, newKey } from '../relying-party/login-fixture.ts'
import { APP, largeToken, sessionIn, type NewWorld, type StoreWorld } from './store-world.ts'

/** What a session store does, wherever it keeps sessions. */
export function describeSessionStore(name: string, newWorld: NewWorld): void {
  describe(`sessions in ${name}`, () => {
    test('are none without a cookie, and none with cookies of others', async () => {
      const world = newWorld()
      expect(await world.open()).toEqual({ kind: 'none' })
      expect(await world.openCookie('theme=dark; session=abc')).toEqual({ kind: 'none' })
    })

    test('are read back as they were, by every thread', async () => {
      const world = newWorld()
      const session = world.session({ refreshToken: 'refresh-1', scope: 'openid offline_access' })
      await world.create(session)
      expect(await world.open()).toEqual({ kind: 'session', session, setCookies: [] })
      expect(await world.open(APP, world.newThread())).toEqual({ kind: 'session', session, setCookies: [] })
    })

    test('come back as the same object while nothing changes, so that decisions can be kept with them', async () => {
      const world = newWorld()
      await world.create()
      const first = sessionIn(await world.open())
      expect(sessionIn(await world.open())).toBe(first)
      world.clock.advance(5_000)
      expect(sessionIn(await world.open())).toBe(first)
    })

    test('show nothing of their tokens in a cookie', async () => {
      const world = newWorld()
      const session = world.session({ accessToken: 'opaque-access-token', refreshToken: 'refresh-token' })
      const cookies = (await world.create(session)).join()
      for (const secret of ['opaque-access-token', 'refresh-token', session.idToken ?? '']) {
        expect(cookies).not.toContain(secret)
        expect(cookies).not.toContain(Buffer.from(secret).toString('base64url').slice(0, 20))
      }
    })

    test('are HttpOnly, and not kept by shared caches', async () => {
      const world = newWorld()
      const saved = await world.store.create(world.request(), world.session())
      expect(saved.ok && saved.setCookies).toContainEqual(['cache-control', 'private, no-store'])
      for (const value of await world.create()) expect(value).toMatch(/; HttpOnly/)
    })

    test('open with no changed character, and are cleared then', async () => {
      const world = newWorld()
      await world.create()
      const cookie = world.cookie()
      const from = cookie.indexOf('=') + 3
      for (let at = from; at < cookie.length; at += Math.ceil((cookie.length - from) / 25)) {
        const changed = cookie.slice(0, at) + (cookie[at] === 'A' ? 'B' : 'A') + cookie.slice(at + 1)
        const lookup = await world.openCookie(changed, APP, world.store)
        expect(lookup).toMatchObject({
          kind: 'invalid',
          clearCookies: expect.arrayContaining([
            ['set-cookie', expect.stringMatching(/^__Host-.*Max-Age=0/)],
          ]),
        })
      }
      expect((await world.open()).kind).toBe('session')
    })

    test('of another realm, of http, or of a cut cookie are none', async () => {
      const world = newWorld()
      await world.create()
      const other = { ...world.policy, session: { ...world.policy.session, realm: 'f'.repeat(64) } }
      expect((await world.store.open(world.request(APP, other))).kind).toBe('invalid')
      const cookie = world.cookie()
      expect((await world.openCookie(cookie, 'http://app.example.com/')).kind).toBe('none')
      expect((await world.openCookie(cookie.replace('__Host-', ''), 'http://app.example.com/')).kind).toBe(
        'invalid',
      )
      expect((await world.openCookie(cookie.slice(0, -20))).kind).toBe('invalid')
    })

    test('end when they were not used, not renewed, or are too old', async () => {
      const limits = { idlingTimeoutSeconds: 900, rollingTimeoutSeconds: 0, absoluteTimeoutSeconds: 3600 }
      const world = newWorld(limits)
      await world.create()
      world.clock.advance(899_000)
      expect((await world.open()).kind).toBe('session')
      await settled(world)
      world.clock.advance(899_000)
      expect((await world.open()).kind).toBe('session')
      await settled(world)
      world.clock.advance(900_000)
      expect((await world.open()).kind).toBe('invalid')
    })

    test('end at their absolute timeout however they are used', async () => {
      const world = newWorld({
        idlingTimeoutSeconds: 900,
        rollingTimeoutSeconds: 600,
        absoluteTimeoutSeconds: 3600,
      })
      await world.create()
      for (let minutes = 1; minutes < 60; minutes += 1) {
        world.clock.advance(60_000)
        expect((await world.open()).kind).toBe('session')
        await settled(world)
      }
      world.clock.advance(60_000)
      expect((await world.open()).kind).toBe('invalid')
    })

    test('end with their access token, but where they can be refreshed', async () => {
      const world = newWorld()
      const now = world.clock.now() / 1000
      await world.create(world.session({ accessTokenExpiresAtSeconds: now + 60 }))
      world.clock.advance(60_000)
      expect((await world.open()).kind).toBe('invalid')
      await world.create(world.session({ accessTokenExpiresAtSeconds: now + 120, refreshToken: 'refresh-1' }))
      world.clock.advance(60_000)
      expect((await world.open()).kind).toBe('session')
    })

    test('that may not be refreshed end with their access token all the same', async () => {
      const world = newWorld({ refreshTokens: false })
      const expiry = world.clock.now() / 1000 + 60
      await world.create(world.session({ accessTokenExpiresAtSeconds: expiry, refreshToken: 'refresh-1' }))
      world.clock.advance(60_000)
      expect((await world.open()).kind).toBe('invalid')
    })

    test('end when their claims are too old and nothing can refresh them', async () => {
      const world = newWorld({ claimsMaximumAgeSeconds: 300 })
      await world.create()
      world.clock.advance(299_000)
      expect((await world.open()).kind).toBe('session')
      world.clock.advance(1_000)
      expect((await world.open()).kind).toBe('invalid')
    })

    test('hold other tokens after an update, on every thread within a second', async () => {
      const world = newWorld()
      const other = world.newThread()
      const before = world.session()
      await world.create(before)
      await world.open(APP, other)
      const request = world.request()
      const saved = await world.store.update(request, {
        ...before,
        accessToken: 'opaque-2',
        accessTokenClaims: {},
      })
      expect(saved.ok).toBe(true)
      if (saved.ok) world.browser.takeHeaders(saved.setCookies, request.facts)
      expect(sessionIn(await world.open()).accessToken).toBe('opaque-2')
      world.clock.advance(1_000)
      expect(sessionIn(await world.open(APP, other)).accessToken).toBe('opaque-2')
    })

    test('are cleared from the browser when they are ended', async () => {
      const world = newWorld()
      await world.create()
      const request = world.request()
      const ended = await world.store.destroy(request)
      expect(ended.ok).toBe(true)
      world.browser.takeHeaders(ended.clearCookies, request.facts)
      expect(world.browser.names()).toEqual([])
      expect((await world.open()).kind).toBe('none')
    })

    test('log nobody out when keys rotate', async () => {
      const world = newWorld()
      await world.create()
      const [old, next] = [world.key, newKey()]
      world.rotateTo(next, old)
      expect((await world.open()).kind).toBe('session')
      world.clock.advance(60_000)
      expect((await world.open()).kind).toBe('session')
      await settled(world)
      world.rotateTo(next)
      expect((await world.open()).kind).toBe('session')
      expect((await world.open(APP, world.newThread())).kind).toBe('session')
    })

    test('of a key that is gone are none', async () => {
      const world = newWorld()
      await world.create()
      await world.open()
      world.rotateTo(newKey())
      expect((await world.open()).kind).toBe('invalid')
    })

    test('cannot begin without a key', async () => {
      const world = newWorld()
      world.rotateTo()
      expect(await world.store.create(world.request(), world.session())).toEqual({
        ok: false,
        reason: 'no_key',
      })
    })

    test('with more than fits are refused in so many words', async () => {
      const world = newWorld()
      const session = world.session({ accessToken: largeToken(200_000) })
      expect(await world.store.create(world.request(), session)).toEqual({ ok: false, reason: 'too_large' })
    })

    test('with a 12 KB ID token fit', async () => {
      const world = newWorld()
      const session = world.session({ idToken: jwtOf({ sub: 'alice', blob: largeToken(9_000) }) })
      for (const value of await world.create(session)) expect(value.length).toBeLessThanOrEqual(4096)
      expect(sessionIn(await world.open(APP, world.newThread()))).toEqual(session)
    })

    test('that a sibling host plants do not push out the one that is there', async () => {
      const world = newWorld({ cookieDomain: 'example.com' })
      const own = world.session({ accessToken: 'opaque-own', accessTokenClaims: {} })
      await world.create(own)
      world.clock.advance(10_000)
      const attacker = newWorld({ cookieDomain: 'example.com' })
      attacker.clock.advance(10_000)
      attacker.rotateTo(world.key)
      await attacker.create(attacker.session({ accessToken: 'opaque-planted', accessTokenClaims: {} }))
      for (const cookie of [
        `${attacker.cookie()}; ${world.cookie()}`,
        `${world.cookie()}; ${attacker.cookie()}`,
      ]) {
        expect(sessionIn(await world.openCookie(cookie)).accessToken).toBe('opaque-own')
      }
      const planted = factsOf(APP, { headers: { cookie: attacker.cookie().replaceAll('=1.', '=1.x') } })
      expect((await world.store.open({ ...world.request(), facts: planted })).kind).toBe('invalid')
    })
  })
}

/** Waits for what the store writes in the background: Redis answers in order. */
async function settled(world: StoreWorld): Promise<void> {
  await world.store.reread(world.request())
}
