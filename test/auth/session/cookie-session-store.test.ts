import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { AuthSnapshot } from '../../../src/auth/authorize.ts'
import { CookieSessionStore } from '../../../src/auth/session/cookie-session-store.ts'
import { claimsOf } from '../../../src/auth/session/session-payload.ts'
import { SessionKeys } from '../../../src/auth/session/session-keys.ts'
import type { Session } from '../../../src/auth/session/session.ts'
import type { Policy } from '../../../src/table/policy.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Browser, factsOf, setCookiesIn } from '../relying-party/browser.ts'
import { jwtOf, newKey, policyOf, snapshotOf } from '../relying-party/login-fixture.ts'

const APP = 'https://app.example.com/orders'

class StoreWorld {
  readonly clock = new ManualClock()
  readonly browser = new Browser()
  readonly key = newKey()
  readonly policy: Policy
  snapshot: AuthSnapshot
  store = this.newThread()

  constructor(policy = policyOf()) {
    this.policy = policy
    this.snapshot = snapshotOf([policy], [this.key])
  }

  newThread(): CookieSessionStore {
    return new CookieSessionStore(this.clock, randomBytes, new SessionKeys())
  }

  session(changes: Partial<Session> = {}): Session {
    const now = Math.floor(this.clock.now() / 1000)
    const accessToken = changes.accessToken ?? jwtOf({ sub: 'alice' })
    const idToken = changes.idToken ?? jwtOf({ sub: 'alice', email: 'alice@example.com' })
    return {
      id: 'session-1',
      accessToken,
      accessTokenClaims: claimsOf(accessToken),
      idToken,
      idTokenClaims: claimsOf(idToken),
      accessTokenExpiresAtSeconds: now + 86_400,
      tokensIssuedAtSeconds: now,
      createdAtSeconds: now,
      renewedAtSeconds: now,
      lastSeenAtSeconds: now,
      ...changes,
    }
  }

  /** Saves into the browser; gives the Set-Cookie values. */
  save(session = this.session(), url = APP, browser = this.browser): readonly string[] {
    const facts = browser.go(url)
    const saved = this.store.create({ snapshot: this.snapshot, policy: this.policy, facts }, session)
    if (!saved.ok) throw new Error(`not saved: ${saved.reason}`)
    browser.takeHeaders(saved.setCookies, facts)
    return setCookiesIn(saved.setCookies)
  }

  open(url = APP, store = this.store) {
    return store.open({ snapshot: this.snapshot, policy: this.policy, facts: this.browser.go(url) })
  }

  openCookie(cookie: string, options: { url?: string; policy?: Policy; store?: CookieSessionStore } = {}) {
    const facts = factsOf(options.url ?? APP, { headers: { cookie } })
    const request = { snapshot: this.snapshot, policy: options.policy ?? this.policy, facts }
    return (options.store ?? this.store).open(request)
  }

  cookie(url = APP): string {
    return this.browser.go(url).headers['cookie'] as string
  }
}

/** A token that does not compress, so that its cookies are as long as they get. */
function largeToken(characters: number): string {
  return randomBytes(Math.ceil((characters * 3) / 4))
    .toString('base64url')
    .slice(0, characters)
}

describe('a saved session', () => {
  it('is read back whole by any thread', () => {
    const world = new StoreWorld()
    const session = world.session({ scope: 'openid profile' })
    world.save(session)
    expect(world.open()).toEqual({ kind: 'session', session, setCookies: [] })
    expect(world.open(APP, world.newThread())).toEqual({ kind: 'session', session, setCookies: [] })
  })

  it('is the same object while its bytes are the same: opened once', () => {
    const world = new StoreWorld()
    world.save()
    const thread = world.newThread()
    const [first, second] = [world.open(APP, thread), world.open(APP, thread)]
    expect(first).toBe(second)
    expect(world.open(APP, world.newThread())).not.toBe(first)
  })

  it('is one cookie for this host alone, gone with the browser', () => {
    const world = new StoreWorld()
    const cookies = world.save()
    expect(cookies).toHaveLength(1)
    expect(cookies[0]).toMatch(
      /^__Host-ostiary_[0-9a-f]{8}_os_0=1\.[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
  })

  it('without ID token and expiry is read back without', () => {
    const world = new StoreWorld()
    const { idToken: _, accessTokenExpiresAtSeconds: __, ...bare } = world.session()
    const session = { ...bare, idTokenClaims: {} }
    world.save(session)
    expect(world.open(APP, world.newThread())).toMatchObject({ kind: 'session', session })
  })

  it.each([
    'opaque',
    'a.b.c',
    'a.b',
    '..',
    '',
    'eyJhbGciOiJub25lIn0.e30.',
    `${Buffer.from('{"alg":"dir"}').toString('base64url')}..${'x'.repeat(20)}.y.z`,
    `${Buffer.from([0xff, 0xfe]).toString('base64url')}.e30.sig`,
    'eyJhbGciOiJub25lIn0=.e30=.sig',
  ])('holds the access token %j byte for byte', (accessToken) => {
    const world = new StoreWorld()
    world.save(world.session({ accessToken }))
    const lookup = world.open(APP, world.newThread())
    expect(lookup.kind === 'session' && lookup.session.accessToken).toBe(accessToken)
  })
})

describe('large tokens', () => {
  it.each([1000, 3000, 4000, 8000, 12_000, 15_000])(
    'of %d characters that do not compress fit, in cookies of at most 4096 bytes',
    (characters) => {
      const world = new StoreWorld()
      const session = world.session({ idToken: largeToken(characters) })
      const cookies = world.save(session)
      expect(Math.max(...cookies.map((cookie) => Buffer.byteLength(cookie)))).toBeLessThanOrEqual(4096)
      expect(world.open(APP, world.newThread())).toMatchObject({ kind: 'session', session })
    },
  )

  it('fit with the longest attributes too', () => {
    const session = { cookiePath: `/${'p'.repeat(1023)}`, cookieDomain: 'example.com', alwaysSecure: true }
    const world = new StoreWorld(
      policyOf({ session: { ...session, cookieName: `${'n'.repeat(64)}_1a2b3c4d` } }),
    )
    const url = `https://app.example.com${session.cookiePath}`
    const cookies = world.save(world.session({ idToken: largeToken(12_000) }), url)
    expect(Math.max(...cookies.map((cookie) => cookie.length))).toBeLessThanOrEqual(4096)
    expect(world.open(url, world.newThread()).kind).toBe('session')
  })

  it('with hundreds of groups take a third of their length or less', () => {
    const world = new StoreWorld()
    const groups = Array.from({ length: 300 }, (_, index) => `Engineering-Platform-Team-${index}`)
    const idToken = jwtOf({ sub: 'alice', groups })
    const length = world.save(world.session({ idToken })).join('').length
    expect(length).toBeLessThan(idToken.length / 3)
  })

  it('beyond 16 KiB are refused in so many words', () => {
    const world = new StoreWorld()
    const save = (size: number) =>
      world.store.create(
        { snapshot: world.snapshot, policy: world.policy, facts: factsOf(APP) },
        world.session({ idToken: largeToken(size) }),
      )
    expect(save(18_000)).toEqual({ ok: false, reason: 'too_large' })
    expect(save(200_000)).toEqual({ ok: false, reason: 'too_large' })
  })

  it('leave no stale chunk behind when the session shrinks', () => {
    const world = new StoreWorld()
    world.save(world.session({ idToken: largeToken(12_000) }))
    expect(world.browser.names().length).toBeGreaterThan(2)
    world.save()
    expect(world.browser.names()).toHaveLength(1)
    expect(world.open().kind).toBe('session')
  })

  it('leave none behind where the path hides the chunks from the callback', () => {
    const world = new StoreWorld(policyOf({ session: { cookiePath: '/app' } }))
    const callback = 'https://app.example.com/oauth2/callback'
    world.save(world.session({ idToken: largeToken(12_000) }), callback)
    world.save(world.session(), callback)
    expect(world.browser.names()).toHaveLength(1)
  })
})

describe('chunks', () => {
  function chunked() {
    const world = new StoreWorld()
    world.save(world.session({ idToken: largeToken(12_000) }))
    return { world, pairs: world.cookie().split('; ') }
  }

  it('may come in any order and between other cookies', () => {
    const { world, pairs } = chunked()
    expect(world.openCookie(['x=1', ...pairs.toReversed(), 'y=2'].join('; ')).kind).toBe('session')
  })

  it('are no session while one is missing, and all are cleared', () => {
    const { world, pairs } = chunked()
    for (const [index] of pairs.entries()) {
      const rest = pairs.toSpliced(index, 1)
      const lookup = world.openCookie(rest.join('; '), { store: world.newThread() })
      expect(lookup.kind).toBe('invalid')
      const cleared = lookup.kind === 'invalid' ? setCookiesIn(lookup.clearCookies) : []
      expect(cleared.map((cookie) => cookie.split('=')[0])).toEqual(rest.map((pair) => pair.split('=')[0]))
      expect(cleared.every((cookie) => cookie.includes('=; Max-Age=0; Path=/; HttpOnly; Secure'))).toBe(true)
    }
  })

  it('of two sessions are never mixed', () => {
    const { world, pairs } = chunked()
    const other = new Browser()
    world.save(world.session({ idToken: largeToken(12_000) }), APP, other)
    const others = (other.go(APP).headers['cookie'] as string).split('; ')
    expect(world.openCookie([pairs[0], ...others.slice(1)].join('; ')).kind).toBe('invalid')
  })

  it('beyond the count, left by a longer session, change nothing', () => {
    const { world, pairs } = chunked()
    const one = new Browser()
    world.save(world.session(), APP, one)
    const first = one.go(APP).headers['cookie'] as string
    expect(world.openCookie([first, ...pairs.slice(1)].join('; ')).kind).toBe('session')
  })

  it.each(['', '.', '1', '1.', '0.x', '9.x', 'x.y', '2.x', '1.AAAA', '10.x'])(
    'with the value %j are invalid',
    (value) => {
      const world = new StoreWorld()
      world.save()
      const [name] = world.cookie().split('=')
      expect(world.openCookie(`${name}=${value}`).kind).toBe('invalid')
    },
  )
})

describe('a session is bound', () => {
  it('to its realm, also where the cookie was opened before', () => {
    const world = new StoreWorld()
    world.save()
    const twin = policyOf({ session: { ...world.policy.session, realm: 'b'.repeat(64) } })
    expect(world.open().kind).toBe('session')
    expect(world.openCookie(world.cookie(), { policy: twin }).kind).toBe('invalid')
    expect(world.open().kind).toBe('session')
  })

  it('to its cookie name: an https session is none over http', () => {
    const world = new StoreWorld()
    world.save()
    expect(world.openCookie(world.cookie(), { url: 'http://app.example.com/' }).kind).toBe('none')
    const renamed = world.cookie().replace('__Host-', '')
    expect(world.openCookie(renamed, { url: 'http://app.example.com/' }).kind).toBe('invalid')
  })

  it('to the key ring: rotation keeps it, withdrawal ends it, seen before or not', () => {
    const world = new StoreWorld()
    world.save()
    expect(world.open().kind).toBe('session')
    world.snapshot = snapshotOf([world.policy], [newKey(), world.key])
    expect(world.open().kind).toBe('session')
    expect(world.open(APP, world.newThread()).kind).toBe('session')
    world.snapshot = snapshotOf([world.policy], [newKey()])
    expect(world.open().kind).toBe('invalid')
    world.snapshot = snapshotOf([world.policy], [])
    expect(world.open().kind).toBe('invalid')
  })

  it('over http to a name without prefix, and no Secure', () => {
    const world = new StoreWorld()
    const [cookie] = world.save(world.session(), 'http://app.example.com/')
    expect(cookie).toMatch(/^ostiary_[0-9a-f]{8}_os_0=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/)
  })
})

describe('a planted cookie of the same name', () => {
  const policy = policyOf({ session: { cookiePath: '/' } })
  const url = 'http://app.example.com/orders'

  it('of garbage does not push out the session, wherever it stands', () => {
    const world = new StoreWorld(policy)
    world.save(world.session(), url)
    const cookie = world.cookie(url)
    const name = cookie.slice(0, cookie.indexOf('='))
    for (const junk of ['', 'x', '1.AAAA', '9.x', `1.${'A'.repeat(300)}`]) {
      expect(world.openCookie(`${name}=${junk}; ${cookie}`, { url }).kind).toBe('session')
      expect(world.openCookie(`${cookie}; ${name}=${junk}`, { url }).kind).toBe('session')
    }
  })

  it('holding a session begun later does not replace the older one', () => {
    const world = new StoreWorld(policy)
    world.save(world.session({ accessToken: 'of-the-user' }), url)
    world.clock.advance(10_000)
    const attacker = new Browser()
    world.save(world.session({ accessToken: 'of-the-attacker' }), url, attacker)
    const planted = attacker.go(url).headers['cookie'] as string
    for (const cookie of [`${planted}; ${world.cookie(url)}`, `${world.cookie(url)}; ${planted}`]) {
      expect(world.openCookie(cookie, { url })).toMatchObject({ session: { accessToken: 'of-the-user' } })
    }
  })

  it('cannot be planted under the __Host- name', () => {
    const world = new StoreWorld()
    const [cookie = ''] = world.save()
    const victim = new Browser()
    victim.plant(`${cookie}; Domain=example.com`, factsOf('https://evil.example.com/'))
    expect(victim.names()).toEqual([])
  })

  it('costs no more than four attempts', () => {
    const world = new StoreWorld(policy)
    world.save(world.session(), url)
    const cookie = world.cookie(url)
    const name = cookie.slice(0, cookie.indexOf('='))
    const flood = Array.from({ length: 4 }, (_, index) => `${name}=1.${'A'.repeat(100 + index)}`)
    expect(world.openCookie([...flood, cookie].join('; '), { url }).kind).toBe('invalid')
  })
})

describe('timeouts', () => {
  it('end a session that was opened before, and clear its cookies', () => {
    const world = new StoreWorld()
    world.save()
    expect(world.open().kind).toBe('session')
    world.clock.advance(900_000)
    const lookup = world.open()
    expect(lookup.kind).toBe('invalid')
    if (lookup.kind === 'invalid') world.browser.takeHeaders(lookup.clearCookies, factsOf(APP))
    expect(world.browser.names()).toEqual([])
    expect(world.open().kind).toBe('none')
  })

  it('end it with its access token', () => {
    const world = new StoreWorld()
    world.save(world.session({ accessTokenExpiresAtSeconds: world.clock.now() / 1000 + 30 }))
    world.clock.advance(29_000)
    expect(world.open().kind).toBe('session')
    world.clock.advance(1000)
    expect(world.open().kind).toBe('invalid')
  })

  it('let a session in use live to its absolute timeout, and no longer', () => {
    const world = new StoreWorld()
    world.save(world.session({ accessTokenExpiresAtSeconds: world.clock.now() / 1000 + 10 ** 6 }))
    const began = world.clock.now()
    let lookup = world.open()
    while (lookup.kind === 'session') {
      world.browser.takeHeaders(lookup.setCookies, factsOf(APP))
      world.clock.advance(600_000)
      lookup = world.open()
    }
    expect(lookup.kind).toBe('invalid')
    expect(world.clock.now() - began).toBe(86_400_000)
  })

  it('write a use once a minute, not to be cached, and once for all requests with the same cookie', () => {
    const world = new StoreWorld()
    world.save()
    world.clock.advance(59_000)
    expect(world.open()).toMatchObject({ setCookies: [] })
    world.clock.advance(1000)
    const touched = world.open()
    if (touched.kind !== 'session') throw new Error('no session')
    expect(setCookiesIn(touched.setCookies)).toHaveLength(1)
    expect(touched.setCookies).toContainEqual(['cache-control', 'private, no-store'])
    world.clock.advance(5000)
    expect(world.open()).toBe(touched)
    world.browser.takeHeaders(touched.setCookies, factsOf(APP))
    expect(world.open()).toMatchObject({
      setCookies: [],
      session: { lastSeenAtSeconds: touched.session.lastSeenAtSeconds },
    })
  })

  it('of two policies of one realm are judged each by its own', () => {
    const world = new StoreWorld()
    world.save()
    const strict = policyOf({ session: { ...world.policy.session, idlingTimeoutSeconds: 10 } })
    world.clock.advance(20_000)
    expect(world.openCookie(world.cookie(), { policy: strict }).kind).toBe('invalid')
    expect(world.open().kind).toBe('session')
  })
})

describe('without a session key', () => {
  it('nothing is saved', () => {
    const world = new StoreWorld()
    const request = { snapshot: snapshotOf([], []), policy: world.policy, facts: factsOf(APP) }
    const saved = world.store.create(request, world.session())
    expect(saved).toEqual({ ok: false, reason: 'no_key' })
  })
})
