import { describe, expect, it } from 'vitest'
import { MAXIMUM_RETURN_TARGET } from '../../../src/auth/relying-party/return-target.ts'
import { factsOf, setCookiesIn } from './browser.ts'
import { locationOf, LoginWorld, newKey, policyOf, snapshotOf, type PolicyChanges } from './login-fixture.ts'

const APP = 'https://app.example.com/orders?id=1'

async function request(changes: PolicyChanges = {}, url = APP) {
  const world = new LoginWorld([policyOf(changes)])
  const decision = await world.relyingParty.startLogin(world.snapshot, world.policy, factsOf(url))
  const location = new URL(locationOf(decision))
  return { world, decision, location, parameters: location.searchParams }
}

describe('the authorization request', () => {
  it('keeps the endpoint and its own parameters and adds what the code flow needs', async () => {
    const { location, parameters, decision } = await request({ audience: ['api://one', 'api://two'] })
    expect(location.origin + location.pathname).toBe('https://login.example.com/oauth2/default/v1/authorize')
    expect(parameters.get('tenant')).toBe('1')
    expect(parameters.get('response_type')).toBe('code')
    expect(parameters.get('client_id')).toBe('ostiary')
    expect(parameters.get('redirect_uri')).toBe('https://app.example.com/oauth2/callback')
    expect(parameters.get('scope')).toBe('openid profile')
    expect(parameters.getAll('audience')).toEqual(['api://one', 'api://two'])
    expect(parameters.get('code_challenge_method')).toBe('S256')
    expect(parameters.get('code_challenge')).toMatch(/^[\w-]{43}$/)
    expect(parameters.get('nonce')).toMatch(/^[\w-]{43}$/)
    expect(decision).toMatchObject({ kind: 'redirect', status: 302, reason: 'login' })
    expect(decision.responseHeaders).toContainEqual(['cache-control', 'no-store'])
  })

  it('sends a state in the characters that Okta allows, and without what it carries in the clear', async () => {
    const { parameters } = await request()
    expect(parameters.get('state')).toMatch(/^[A-Za-z0-9,._-]+$/)
    expect(Buffer.from(parameters.get('state')!, 'base64url').toString('latin1')).not.toContain('orders')
  })

  it('leaves out nonce and challenge only where the policy skips them', async () => {
    const { parameters } = await request({
      authorizationCode: { insecureSkipNonceCheck: true, insecureSkipProofKeyForCodeExchange: true },
    })
    expect(parameters.has('nonce')).toBe(false)
    expect(parameters.has('code_challenge')).toBe(false)
    expect(parameters.has('code_challenge_method')).toBe(false)
  })

  it('never repeats state, nonce or challenge', async () => {
    const world = new LoginWorld()
    const one = new URL(await world.start(APP)).searchParams
    const two = new URL(await world.start(APP)).searchParams
    for (const name of ['state', 'nonce', 'code_challenge']) expect(one.get(name)).not.toBe(two.get(name))
  })
})

describe('the redirect URI', () => {
  it.each([
    ['https://app.example.com:8443/', 'https://app.example.com:8443/oauth2/callback'],
    ['http://app.example.com/', 'http://app.example.com/oauth2/callback'],
  ])('of a request to %s is its own origin and the reserved path', async (url, expected) => {
    expect((await request({}, url)).parameters.get('redirect_uri')).toBe(expected)
  })

  it('drops a default port that the Host header spelt out', async () => {
    const world = new LoginWorld()
    const facts = factsOf(APP, { authority: 'app.example.com:443' })
    const decision = await world.relyingParty.startLogin(world.snapshot, world.policy, facts)
    const uri = new URL(locationOf(decision)).searchParams.get('redirect_uri')
    expect(uri).toBe('https://app.example.com/oauth2/callback')
  })

  const redirectUri = 'https://app.example.com/app/cb'

  it('is the configured one on its own host', async () => {
    const { parameters } = await request({ authorizationCode: { redirectUri } })
    expect(parameters.get('redirect_uri')).toBe(redirectUri)
  })

  it('is the configured one on hosts that share the cookie domain, and the flow cookie spans them', async () => {
    const changes = { authorizationCode: { redirectUri }, session: { cookieDomain: 'example.com' } }
    const { parameters, decision } = await request(changes, 'https://other.example.com/')
    expect(parameters.get('redirect_uri')).toBe(redirectUri)
    expect(setCookiesIn(decision.responseHeaders)[0]).toContain('; Domain=example.com; Path=/app/cb')
  })

  it('is not the configured one on a host that gets none of its cookies', async () => {
    const { parameters } = await request({ authorizationCode: { redirectUri } }, 'https://other.example.com/')
    expect(parameters.get('redirect_uri')).toBe('https://other.example.com/oauth2/callback')
  })
})

describe('the flow cookie', () => {
  it('is Secure, HttpOnly, host-only, on the callback path, for ten minutes, in one of five slots', async () => {
    const { decision, world } = await request()
    const [cookie, ...more] = setCookiesIn(decision.responseHeaders)
    expect(more).toEqual([])
    expect(cookie).toMatch(
      new RegExp(
        `^__Secure-${world.policy.session.cookieName}_os_f[0-4]=[\\w-]+; Max-Age=600; Path=/oauth2/callback; HttpOnly; Secure; SameSite=Lax$`,
      ),
    )
  })

  it('has neither prefix nor Secure over http, but where the policy always wants it', async () => {
    const plain = await request({}, 'http://app.example.com/')
    expect(setCookiesIn(plain.decision.responseHeaders)[0]).toMatch(/^ostiary_.*HttpOnly; SameSite=Lax$/)
    const forced = await request(
      { authorizationCode: { flowCookieAlwaysSecure: true } },
      'http://app.example.com/',
    )
    expect(setCookiesIn(forced.decision.responseHeaders)[0]).toMatch(/^__Secure-.*; Secure;/)
  })

  it.each(['Strict', 'None', 'Default'] as const)('has SameSite as configured: %s', async (sameSite) => {
    const { decision } = await request({ authorizationCode: { flowCookieSameSite: sameSite } })
    const cookie = setCookiesIn(decision.responseHeaders)[0]
    if (sameSite === 'Default') expect(cookie).not.toContain('SameSite')
    else expect(cookie).toContain(`; SameSite=${sameSite}`)
  })

  it('never grows beyond five in one browser, however many logins are abandoned', async () => {
    const world = new LoginWorld()
    for (let login = 0; login < 150; login += 1) await world.start(APP)
    expect(world.browser.names()).toHaveLength(5)
    expect(world.browser.go(APP).headers['cookie']).toBeUndefined()
  })
})

describe('a login that cannot start', () => {
  it('is 503 with Retry-After while the metadata are unavailable', async () => {
    const world = new LoginWorld()
    world.server.down = { ok: false, kind: 'unavailable', reason: 'refused', retryAfterSeconds: 7 }
    const decision = await world.relyingParty.startLogin(world.snapshot, world.policy, factsOf(APP))
    expect(decision).toMatchObject({
      kind: 'unavailable',
      reason: 'authorization_server_unavailable',
      retryAfterSeconds: 7,
    })
    expect(setCookiesIn(decision.responseHeaders)).toEqual([])
  })

  it('is 503 without a session key, and with one that is not 32 bytes', async () => {
    for (const keys of [[], ['c2hvcnQ']]) {
      const world = new LoginWorld([policyOf()], keys)
      const decision = await world.relyingParty.startLogin(world.snapshot, world.policy, factsOf(APP))
      expect(decision).toMatchObject({ kind: 'unavailable', detail: 'there is no session key' })
    }
  })

  it('is 503 on a host that the cookie domain does not cover', async () => {
    const world = new LoginWorld([policyOf({ session: { cookieDomain: 'example.org' } })])
    const decision = await world.relyingParty.startLogin(world.snapshot, world.policy, factsOf(APP))
    expect(decision.kind).toBe('unavailable')
  })

  it('is refused for an address too long to carry', async () => {
    const world = new LoginWorld()
    const facts = factsOf(`https://app.example.com/?${'a'.repeat(MAXIMUM_RETURN_TARGET)}`)
    const decision = await world.relyingParty.startLogin(world.snapshot, world.policy, facts)
    expect(decision).toMatchObject({ kind: 'refuse', status: 400, reason: 'invalid_request' })
  })

  it('starts with whichever snapshot the request has', async () => {
    const world = new LoginWorld()
    const other = snapshotOf(world.policies, [newKey()])
    await world.start(APP)
    const decision = await world.relyingParty.startLogin(other, world.policy, factsOf(APP))
    expect(decision.kind).toBe('redirect')
  })
})
