import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { LoginOutcome } from '../../../src/auth/relying-party/finish-login.ts'
import { factsOf, setCookiesIn } from './browser.ts'
import {
  hostOf,
  ISSUER,
  jwtOf,
  locationOf,
  LoginWorld,
  newKey,
  policyOf,
  snapshotOf,
} from './login-fixture.ts'

const APP = 'https://app.example.com/orders?id=1&q=a%20b+c'
const TARGET = '/orders?id=1&q=a%20b+c'

function expectNoSession(decision: LoginOutcome | undefined): void {
  const set = setCookiesIn(decision?.responseHeaders ?? [])
  expect(set.filter((cookie) => /_os_\d=[^;]/.test(cookie))).toEqual([])
}

function expectRefusal(decision: LoginOutcome | undefined, status = 400): void {
  expect(decision).toMatchObject({ kind: 'refuse', status })
  expectNoSession(decision)
}

describe('a login', () => {
  it('ends at the exact original target with a session, and without flow cookie', async () => {
    const world = new LoginWorld()
    const decision = await world.login(APP)
    expect(decision).toMatchObject({ kind: 'redirect', status: 302, location: TARGET, reason: 'callback' })
    expect(world.browser.names()).toEqual([
      `__Host-${world.policy.session.cookieName}_os_0`,
      `__Secure-${world.policy.session.cookieName}_os_n`,
    ])
    const lookup = await world.session(APP)
    expect(lookup).toMatchObject({
      kind: 'session',
      session: {
        accessToken: jwtOf({ sub: 'alice', scp: ['openid'] }),
        accessTokenClaims: { sub: 'alice', scp: ['openid'] },
        idTokenClaims: { sub: 'alice' },
        scope: 'openid profile',
        accessTokenExpiresAtSeconds: world.clock.now() / 1000 + 3600,
      },
      setCookies: [],
    })
  })

  it('answers its callback so that no cache keeps the session', async () => {
    const decision = await new LoginWorld().login(APP)
    const cacheControl = decision?.responseHeaders.filter(([name]) => name === 'cache-control')
    expect(cacheControl).toEqual([['cache-control', 'private, no-store']])
  })

  it('redeems the code with verifier, nonce and the redirect URI that was sent', async () => {
    const world = new LoginWorld()
    await world.login(APP)
    expect(world.server.grants).toHaveLength(1)
    expect(world.server.grants[0]).toMatchObject({
      client: { id: 'ostiary', secret: 'client-secret', authMethod: 'client_secret_basic' },
      redirectUri: 'https://app.example.com/oauth2/callback',
      idTokenExpected: true,
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      codeVerifier: expect.stringMatching(/^[\w-]{43}$/),
    })
  })

  it('redeems without them where they are switched off, and expects no ID token without openid', async () => {
    const world = new LoginWorld([
      policyOf({
        scopes: ['orders.read'],
        authorizationCode: { insecureSkipNonceCheck: true, insecureSkipProofKeyForCodeExchange: true },
      }),
    ])
    await world.login(APP)
    expect(world.server.grants[0]).not.toHaveProperty('nonce')
    expect(world.server.grants[0]).not.toHaveProperty('codeVerifier')
    expect(world.server.grants[0]).toMatchObject({ idTokenExpected: false })
  })

  it('is completed by another thread or replica with the same keys', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    const decision = await world.newThread().callback(world.snapshot, world.host, world.browser.go(callback))
    expect(decision).toMatchObject({ kind: 'redirect', location: TARGET })
  })

  it('survives a key rotation under way', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    world.snapshot = snapshotOf(world.policies, [newKey(), ...world.keys])
    expect(locationOf(await world.callback(callback))).toBe(TARGET)
  })

  it('lands on the host where it began when hosts share a redirect URI', async () => {
    const policy = policyOf({
      authorizationCode: { redirectUri: 'https://auth.example.com/oauth2/callback' },
      session: { cookieDomain: 'example.com' },
    })
    const world = new LoginWorld([policy])
    const decision = await world.login(APP)
    expect(decision).toMatchObject({ kind: 'redirect', location: `https://app.example.com${TARGET}` })
    expect(world.browser.names().filter((name) => name.includes('_os_f'))).toEqual([])
    expect((await world.session(APP)).kind).toBe('session')
  })

  it('gives an opaque access token empty claims', async () => {
    const world = new LoginWorld()
    world.server.tokens = { accessToken: 'opaque.token' }
    await world.login(APP)
    expect(await world.session(APP)).toMatchObject({
      session: { accessToken: 'opaque.token', accessTokenClaims: {} },
    })
  })
})

describe('parallel logins', () => {
  const tabs = Array.from({ length: 10 }, (_, tab) => `/tab/${tab}?n=${tab}`)

  it.each([
    ['in the order begun', (urls: string[]) => urls],
    ['in reverse', (urls: string[]) => urls.toReversed()],
    ['inside out', (urls: string[]) => urls.toSorted((one, two) => hash(one) - hash(two))],
  ])('completed %s all land on their own address', async (_, order) => {
    const world = new LoginWorld()
    const locations: string[] = []
    for (const tab of tabs) locations.push(await world.start(`https://app.example.com${tab}`))
    const landed = new Set<string>()
    for (const location of order(locations)) {
      let decision = await world.callback(world.server.authorize(location))
      if (decision?.kind === 'redirect' && decision.reason === 'login') {
        decision = await world.callback(world.server.authorize(decision.location))
      }
      landed.add(locationOf(decision))
    }
    expect([...landed].sort()).toEqual(tabs)
  })

  it('whose flow was overtaken goes to its own address with the session of the other', async () => {
    const world = new LoginWorld()
    const first = await world.start('https://app.example.com/first')
    for (let login = 0; login < 150; login += 1) await world.start('https://app.example.com/more')
    await world.login('https://app.example.com/last')
    const grants = world.server.grants.length
    expect(await world.callback(world.server.authorize(first))).toMatchObject({
      kind: 'redirect',
      reason: 'callback',
      location: '/first',
    })
    expect(world.server.grants).toHaveLength(grants)
  })

  it('whose flow was overtaken starts again once without a session, then gives up', async () => {
    const world = new LoginWorld()
    const first = await world.start('https://app.example.com/first')
    const overtake = async () => {
      for (let login = 0; login < 150; login += 1) await world.start('https://app.example.com/more')
    }
    await overtake()
    const again = await world.callback(world.server.authorize(first))
    expect(again).toMatchObject({ kind: 'redirect', reason: 'login' })
    await overtake()
    expectRefusal(await world.callback(world.server.authorize(locationOf(again))))
    expect(world.server.grants).toEqual([])
  })
})

describe('an expired login', () => {
  it('starts again once and then succeeds', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    world.clock.advance(601_000)
    const again = await world.callback(callback)
    expect(again).toMatchObject({ kind: 'redirect', reason: 'login' })
    expect(locationOf(await world.callback(world.server.authorize(locationOf(again))))).toBe(TARGET)
  })

  it('goes to its own address where a session is there', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    world.clock.advance(601_000)
    await world.login('https://app.example.com/')
    expect(await world.callback(callback)).toMatchObject({ reason: 'callback', location: TARGET })
  })
})

describe('a replayed callback', () => {
  it('gives no new session, even with the flow cookie and a server that redeems codes twice', async () => {
    const world = new LoginWorld()
    world.server.codesAreReusable = true
    const callback = world.server.authorize(await world.start(APP))
    const copy = world.browser.go(callback)
    await world.callback(callback)
    const replayed = await world.relyingParty.callback(world.snapshot, world.host, copy)
    expectNoSession(replayed)
    expect(world.server.grants).toHaveLength(1)
  })

  it('gives one session when both copies arrive at once', async () => {
    const world = new LoginWorld()
    world.server.codesAreReusable = true
    const callback = world.server.authorize(await world.start(APP))
    const facts = world.browser.go(callback)
    const decisions = await Promise.all([
      world.relyingParty.callback(world.snapshot, world.host, facts),
      world.relyingParty.callback(world.snapshot, world.host, facts),
    ])
    expect(world.server.grants).toHaveLength(1)
    expect(decisions.map((decision) => decision?.kind === 'redirect' && decision.reason)).toEqual([
      'callback',
      'login',
    ])
  })

  it('on another thread ends with the server, which redeems a code once', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    const copy = world.browser.go(callback)
    await world.callback(callback)
    const replayed = await world.newThread().callback(world.snapshot, world.host, copy)
    expect(replayed).toMatchObject({ kind: 'redirect', reason: 'login' })
    expectNoSession(replayed)
  })

  it('from another browser is worth nothing', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    const stolen = await world.relyingParty.callback(world.snapshot, world.host, factsOf(callback))
    expectNoSession(stolen)
    expect(world.server.grants).toEqual([])
  })
})

describe('a hostile callback', () => {
  const CALLBACK = 'https://app.example.com/oauth2/callback'

  it.each([
    ['nothing', ''],
    ['a code alone', '?code=c'],
    ['a state alone', '?state=s'],
    ['an empty state', '?state=&code=c'],
    ['a state that is not ours', '?state=abc&code=c'],
    ['a state of garbage', `?state=${'A'.repeat(200)}&code=c`],
    ['a state beyond all bounds', `?state=${'A'.repeat(40_000)}&code=c`],
    ['broken escapes', '?state=%zz%&code=%'],
  ])('with %s is 400', async (_, query) => {
    expectRefusal(await new LoginWorld().callback(CALLBACK + query))
  })

  it('with any bit of its state flipped is 400', async () => {
    const world = new LoginWorld()
    const url = new URL(world.server.authorize(await world.start(APP)))
    const state = url.searchParams.get('state')!
    for (let at = 0; at < state.length; at += 7) {
      const flipped = state[at] === 'A' ? 'B' : 'A'
      url.searchParams.set('state', state.slice(0, at) + flipped + state.slice(at + 1))
      expectRefusal(await world.callback(url.href))
    }
    expect(world.server.grants).toEqual([])
  })

  it.each(['state', 'code', 'iss'])('with %s twice is 400', async (name) => {
    const world = new LoginWorld()
    const url = new URL(world.server.authorize(await world.start(APP), { iss: ISSUER }))
    url.searchParams.append(name, url.searchParams.get(name)!)
    expectRefusal(await world.callback(url.href))
    expect(world.server.grants).toEqual([])
  })

  it('with both code and error is 400', async () => {
    const world = new LoginWorld()
    const url = world.server.authorize(await world.start(APP), { error: 'access_denied' })
    expectRefusal(await world.callback(url))
  })

  it.each(['POST', 'HEAD', 'PUT'])('by %s is 400 and redeems nothing', async (method) => {
    const world = new LoginWorld()
    const facts = { ...world.browser.go(world.server.authorize(await world.start(APP))), method }
    expectRefusal(await world.relyingParty.callback(world.snapshot, world.host, facts))
    expect(world.server.grants).toEqual([])
  })

  it('with a session cookie or flow cookie as state is 400', async () => {
    const world = new LoginWorld()
    await world.login(APP)
    await world.start(APP)
    const cookies = world.browser.go(CALLBACK).headers['cookie'] as string
    for (const pair of cookies.split('; ')) {
      const value = pair.slice(pair.indexOf('=') + 1).replace(/^1\./, '')
      expectRefusal(await world.callback(`${CALLBACK}?code=c&state=${value}`))
    }
  })

  it('for a policy that is gone, or of another realm, or on another host, is 400', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    const facts = world.browser.go(callback)
    const other = policyOf({ id: 'shop/other' })
    const gone = await world.relyingParty.callback(snapshotOf([other], world.keys), hostOf([other]), facts)
    expectRefusal(gone)
    const changed = policyOf({ session: { realm: 'f'.repeat(64) } })
    const realm = await world.relyingParty.callback(
      snapshotOf([changed], world.keys),
      hostOf([changed]),
      facts,
    )
    expectRefusal(realm)
    const elsewhere = await world.relyingParty.callback(
      snapshotOf([...world.policies, other], world.keys),
      hostOf([other]),
      facts,
    )
    expectRefusal(elsewhere)
    expect(world.server.grants).toEqual([])
  })

  it('sealed with a key that is not in the ring is 400', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    world.snapshot = snapshotOf(world.policies, [newKey()])
    expectRefusal(await world.callback(callback))
  })

  it('does not exist where no policy logs in, nor on other reserved paths', async () => {
    const world = new LoginWorld()
    const query = new URL(world.server.authorize(await world.start(APP))).search
    expect(world.relyingParty.callback(world.snapshot, hostOf([]), factsOf(CALLBACK + query))).toBeUndefined()
    expect(await world.callback(`https://app.example.com/oauth2/sign_out${query}`)).toBeUndefined()
    expect(await world.callback(`https://app.example.com/oauth2/callback/${query}`)).toBeUndefined()
  })
})

describe('RFC 9207', () => {
  it('takes the issuer that was asked', async () => {
    const world = new LoginWorld()
    world.server.issParameterSupported = true
    const callback = world.server.authorize(await world.start(APP), { iss: ISSUER })
    expect(locationOf(await world.callback(callback))).toBe(TARGET)
  })

  it.each(['https://evil.example.com', `${ISSUER}/`, ''])(
    'refuses iss=%s and redeems nothing',
    async (iss) => {
      const world = new LoginWorld()
      const callback = world.server.authorize(await world.start(APP), { iss })
      const decision = await world.callback(callback)
      expect(decision).toMatchObject({ kind: 'refuse', status: 400, reason: 'wrong_issuer' })
      expect(world.server.grants).toEqual([])
      expect(world.browser.names()).toEqual([])
    },
  )

  it('refuses a callback without iss where the server says that it sends one', async () => {
    const world = new LoginWorld()
    world.server.issParameterSupported = true
    const decision = await world.callback(world.server.authorize(await world.start(APP)))
    expect(decision).toMatchObject({ kind: 'refuse', reason: 'wrong_issuer' })
    expect(world.server.grants).toEqual([])
  })

  it('refuses an error from another issuer without a word of it', async () => {
    const world = new LoginWorld()
    const callback = new URL(world.server.authorize(await world.start(APP), { iss: 'https://evil.example' }))
    callback.searchParams.delete('code')
    callback.searchParams.set('error', 'access_denied')
    expect(await world.callback(callback.href)).toMatchObject({ reason: 'wrong_issuer' })
  })
})

describe('two authorization servers on one host', () => {
  const good = policyOf({
    id: 'shop/good',
    authorizationCode: { redirectUri: 'https://app.example.com/good/cb' },
  })
  const evil = policyOf({
    id: 'shop/evil',
    issuer: 'https://evil.example.com',
    authorizationCode: { redirectUri: 'https://app.example.com/evil/cb' },
  })

  it('never get a code of one another: the state names the server and its redirect URI', async () => {
    const world = new LoginWorld([good, evil])
    // The evil server sends the browser on to the good one, with its own state.
    const atEvil = new URL(await world.start(APP, evil))
    const atGood = new URL(atEvil)
    atGood.searchParams.set('redirect_uri', 'https://app.example.com/good/cb')
    expect(await world.callback(world.server.authorize(atGood.href))).toBeUndefined()
    expect(world.server.grants).toEqual([])
  })

  it('are told apart by iss where they share the redirect URI', async () => {
    const policies = [
      policyOf({ id: 'shop/good' }),
      policyOf({ id: 'shop/evil', issuer: 'https://evil.example.com' }),
    ]
    const world = new LoginWorld(policies)
    const callback = world.server.authorize(await world.start(APP, policies[1]), { iss: ISSUER })
    expect(await world.callback(callback)).toMatchObject({ kind: 'refuse', reason: 'wrong_issuer' })
    expect(world.server.grants).toEqual([])
  })

  it('keep separate sessions', async () => {
    const world = new LoginWorld([good, evil])
    await world.login(APP, good)
    expect((await world.session(APP, good)).kind).toBe('session')
    expect((await world.session(APP, evil)).kind).toBe('none')
    await world.login(APP, evil)
    expect((await world.session(APP, good)).kind).toBe('session')
    expect((await world.session(APP, evil)).kind).toBe('session')
  })
})

describe('a redirect URI that is a routed path', () => {
  const policy = policyOf({ authorizationCode: { redirectUri: 'https://app.example.com/app/welcome' } })

  it('is a callback for our state', async () => {
    const world = new LoginWorld([policy])
    expect(locationOf(await world.login(APP))).toBe(TARGET)
  })

  it.each(['', '?code=c', '?state=s', '?code=c&state=s', '?error=access_denied&state=s', '?xstate=&code=1'])(
    'with "%s" belongs to the application',
    async (query) => {
      const world = new LoginWorld([policy])
      expect(await world.callback(`https://app.example.com/app/welcome${query}`)).toBeUndefined()
    },
  )

  it('by POST belongs to the application', async () => {
    const world = new LoginWorld([policy])
    const url = world.server.authorize(await world.start(APP))
    const facts = { ...world.browser.go(url), method: 'POST' }
    expect(world.relyingParty.callback(world.snapshot, world.host, facts)).toBeUndefined()
  })

  it('with our state after a reload goes to the original address: the code never reaches an upstream', async () => {
    const world = new LoginWorld([policy])
    const callback = world.server.authorize(await world.start(APP))
    await world.callback(callback)
    expect(await world.callback(callback)).toMatchObject({ reason: 'callback', location: TARGET })
  })

  it('leaves nothing for the reserved path, where the same answer is 400', async () => {
    const world = new LoginWorld([policy])
    const callback = world.server
      .authorize(await world.start(APP))
      .replace('/app/welcome', '/oauth2/callback')
    expectRefusal(await world.callback(callback))
  })
})

describe('an error from the authorization server', () => {
  async function answer(error: string, description = 'The secret is hunter2') {
    const world = new LoginWorld()
    const callback = new URL(world.server.authorize(await world.start(APP), { error }))
    callback.searchParams.delete('code')
    callback.searchParams.set('error_description', description)
    return { world, decision: await world.callback(callback.href) }
  }

  it('access_denied is 403, readable, and clears the flow cookie', async () => {
    const { world, decision } = await answer('access_denied')
    expect(decision).toMatchObject({
      kind: 'refuse',
      status: 403,
      message: 'The authorization server denied access (access_denied)',
    })
    expect(world.browser.names()).toEqual([])
  })

  it.each(['temporarily_unavailable', 'server_error'])('%s is 503', async (error) => {
    expect((await answer(error)).decision).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 5 })
  })

  it('that is unknown, and any description, is not repeated', async () => {
    const { decision } = await answer('<script>alert(1)</script>', '"><img src=x>')
    expectRefusal(decision)
    expect(JSON.stringify(decision)).not.toMatch(/script|img|alert/)
  })

  it('holds no description of the server', async () => {
    expect(JSON.stringify((await answer('invalid_scope')).decision)).not.toContain('hunter2')
  })
})

describe('the token endpoint', () => {
  it('that refuses the code makes the login start again, once', async () => {
    const world = new LoginWorld()
    world.server.refuse = 'invalid_grant'
    const again = await world.login(APP)
    expect(again).toMatchObject({ kind: 'redirect', reason: 'login' })
    expectRefusal(await world.callback(world.server.authorize(locationOf(again))))
  })

  it.each(['invalid_client', 'unauthorized_client'])(
    'that answers %s is 503: nobody at a browser can help',
    async (error) => {
      const world = new LoginWorld()
      world.server.refuse = error
      expect(await world.login(APP)).toMatchObject({ kind: 'unavailable', reason: 'invalid_client' })
    },
  )

  it.each(['invalid_id_token', 'invalid_callback', 'unknown_error'])(
    'whose answer is %s gives no session',
    async (error) => {
      const world = new LoginWorld()
      world.server.refuse = error
      expectRefusal(await world.login(APP))
    },
  )

  it('that is down is 503 with Retry-After, and a reload completes the login', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    world.server.down = { ok: false, kind: 'unavailable', reason: 'connect', retryAfterSeconds: 9 }
    const decision = await world.callback(callback)
    expect(decision).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 9 })
    expectNoSession(decision)
    world.server.down = undefined
    expect(locationOf(await world.callback(callback))).toBe(TARGET)
  })

  it('is not asked without the client secret', async () => {
    const world = new LoginWorld()
    const callback = world.server.authorize(await world.start(APP))
    world.snapshot = snapshotOf(world.policies, world.keys, {})
    expect(await world.callback(callback)).toMatchObject({ kind: 'unavailable', reason: 'policy_missing' })
    expect(world.server.grants).toEqual([])
  })

  it('whose access token has already expired gives a page, not a loop', async () => {
    const world = new LoginWorld()
    world.server.tokens = { expiresInSeconds: 0 }
    expect(await world.login(APP)).toMatchObject({ kind: 'refuse', reason: 'expired_token' })
  })

  it('whose tokens fit into no cookies gives a page, not a loop', async () => {
    const world = new LoginWorld()
    const groups = Array.from({ length: 2000 }, () => newKey())
    world.server.tokens = { idToken: jwtOf({ sub: 'alice', groups }) }
    const decision = await world.login(APP)
    expect(decision).toMatchObject({ kind: 'refuse', status: 400, reason: 'too_large' })
    expectNoSession(decision)
  })
})

describe('a browser that does not send the session back', () => {
  it('is stopped after three logins within a minute, with a page that says so', async () => {
    const world = new LoginWorld()
    const round = async () => {
      world.browser.forget(/_os_\d$/)
      return world.login(APP)
    }
    for (let login = 0; login < 3; login += 1) expect((await round())?.kind).toBe('redirect')
    expect(await round()).toMatchObject({ kind: 'refuse', status: 400, reason: 'login_loop' })
    expect(world.server.grants).toHaveLength(3)
    world.clock.advance(61_000)
    expect((await round())?.kind).toBe('redirect')
  })

  it('is stopped likewise where the policy never reads its sessions', async () => {
    const world = new LoginWorld([policyOf({ methods: ['authorization_code'] })])
    for (let login = 0; login < 3; login += 1) expect((await world.login(APP))?.kind).toBe('redirect')
    expect(await world.login(APP)).toMatchObject({ kind: 'refuse', reason: 'login_loop' })
  })

  it('is suspected later where SameSite=Strict hides the session from callbacks', async () => {
    const world = new LoginWorld([policyOf({ session: { sameSite: 'Strict' } })])
    const round = async () =>
      world.callback(world.server.authorize(await world.start(APP)), { crossSite: true })
    for (let login = 0; login < 12; login += 1) expect((await round())?.kind).toBe('respond')
    expect(await round()).toMatchObject({ kind: 'refuse', reason: 'login_loop' })
  })

  it('is not suspected for signing in often with its session', async () => {
    const world = new LoginWorld()
    await world.login(APP)
    for (let login = 0; login < 12; login += 1) {
      const facts = world.browser.go('https://app.example.com/oauth2/start')
      const decision = await world.relyingParty.reserved(world.snapshot, world.host, facts)
      world.browser.take(decision, facts)
      expect((await world.callback(world.server.authorize(locationOf(decision))))?.kind).toBe('redirect')
    }
  })
})

describe('a session that is never accepted, as its token fails `reverify`', () => {
  it('stops the logins that it leads to', async () => {
    const world = new LoginWorld()
    for (let login = 0; login < 3; login += 1) expect((await world.login(APP))?.kind).toBe('redirect')
    const stopped = await world.login(APP)
    expect(stopped).toMatchObject({ reason: 'login_loop', message: 'The session is never accepted' })
  })

  it('counts once for all tabs that saw it', async () => {
    const world = new LoginWorld()
    await world.login(APP)
    const callbacks: string[] = []
    // Five flows are kept; a tab whose flow was overwritten goes on with the session of another.
    for (let tab = 0; tab < 10; tab += 1) callbacks.push(world.server.authorize(await world.start(APP)))
    for (const callback of callbacks) expect((await world.callback(callback))?.kind).toBe('redirect')
    expect((await world.login(APP))?.kind).toBe('redirect')
  })
})

describe('what a login says', () => {
  it('holds no code, token, secret, nonce, verifier or state, whatever happens', async () => {
    const outcomes: (string | undefined)[] = [
      undefined,
      'invalid_grant',
      'invalid_client',
      'invalid_id_token',
    ]
    for (const refuse of outcomes) {
      const world = new LoginWorld()
      world.server.refuse = refuse
      const callback = world.server.authorize(await world.start(APP))
      const decision = await world.callback(callback)
      const again = await world.callback(callback)
      const grant = world.server.grants[0]!
      const said = [decision, again].map((each) =>
        JSON.stringify({ ...each, responseHeaders: [], location: undefined }),
      )
      const secrets = [grant.codeVerifier!, grant.nonce!, grant.state, 'client-secret', 'code-1']
      for (const secret of secrets) expect(said.join()).not.toContain(secret)
    }
  })
})

function hash(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE()
}
