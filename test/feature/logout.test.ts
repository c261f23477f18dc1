import { describe, expect, test } from 'vitest'
import { oidcPlugin, ingress } from '../support/manifests.ts'
import { POST_LOGOUT_PATH, startLoginApp, type LoginApp } from '../support/login-app.ts'
import type { WebBrowser } from '../support/web-browser.ts'

const LOGOUT = { logoutUriSuffix: '/logout', logoutQueryArg: 'logout', logoutPostArg: 'logout' }

async function signedIn(spec: object | ((url: string) => object) = {}): Promise<LoginApp> {
  const app = await startLoginApp(spec)
  await app.browser.login('/app')
  expect(app.browser.hasSession).toBe(true)
  return app
}

/** That a redirect ends the session at the authorization server. */
async function expectEndSession({ browser, authorizationServer }: LoginApp, answer: Response) {
  const location = browser.locationOf(answer)
  expect(location.origin + location.pathname).toBe(`${authorizationServer.issuer}/v1/logout`)
  return location.searchParams
}

test.each([
  ['a page', { 'sec-fetch-site': 'same-origin', 'sec-purpose': 'prefetch' }],
  ['the address bar', { 'sec-fetch-site': 'none', 'sec-purpose': 'prefetch;prerender' }],
  ['the address bar of an older browser', { 'sec-fetch-site': 'none', purpose: 'prefetch' }],
])('sign_out that %s loads ahead of time ends nothing, and asks first', async (_name, given) => {
  const { browser } = await signedIn()
  const headers = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', ...given }
  const answer = await browser.send('/oauth2/sign_out', { headers })
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('Sign out?')])
  expect((await browser.navigate('/app')).status).toBe(200)
})

describe('a logout on a route', () => {
  test.each([
    ['by the end of the path', (browser: WebBrowser) => browser.submit('/app/any/logout?x=1', '')],
    ['by a query argument', (browser: WebBrowser) => browser.submit('/app?logout', 'a=b')],
    ['by a form field', (browser: WebBrowser) => browser.submit('/app', 'a=b&logout=1')],
  ])('%s ends the session here, and then at the authorization server', async (_name, leave) => {
    const app = await signedIn({ ...LOGOUT })
    const cookies = app.browser.jar.header(new URL(app.ostiary.url))
    const answer = await leave(app.browser)
    expect(answer.status).toBe(303)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(app.browser.hasSession).toBe(false)
    const parameters = await expectEndSession(app, answer)
    expect(parameters.get('client_id')).toBe('ostiary')
    expect(parameters.get('id_token_hint')).toMatch(/^eyJ/)
    expect(parameters.has('post_logout_redirect_uri')).toBe(false)
    expect(cookies).toContain('_os_0=')
    expect((await app.browser.script('/app')).status).toBe(401)
  })

  test('returns by way of the authorization server to logoutRedirectUri, and nobody is signed in there', async () => {
    const app = await signedIn((url) => ({ ...LOGOUT, logoutRedirectUri: url + POST_LOGOUT_PATH }))
    const { browser } = app
    const leave = browser.locationOf(await browser.submit('/app/logout', ''))
    expect(leave.searchParams.get('post_logout_redirect_uri')).toBe(app.ostiary.url + POST_LOGOUT_PATH)
    const farewell = await browser.atServer(leave)
    const end = new URL(farewell.headers.get('location') ?? '')
    expect(end.origin + end.pathname).toBe(app.ostiary.url + POST_LOGOUT_PATH)
    expect(end.searchParams.get('state')).toBe(leave.searchParams.get('state'))
    // Another login asks for the password again: its session there is gone too.
    const start = await browser.navigate('/app')
    expect((await browser.atServer(browser.locationOf(start))).headers.get('location')).toContain('/signin/')
  })

  test('a method that is not listed reaches the application', async () => {
    const { browser } = await signedIn(LOGOUT)
    const answer = await browser.navigate('/app/logout?logout')
    expect(answer.status).toBe(200)
    expect(browser.hasSession).toBe(true)
    expect((await browser.script('/app/logout', { method: 'PUT' })).status).toBe(200)
  })

  test('by GET works where logoutMethods has it, for links of any site but not for images and scripts', async () => {
    const app = await signedIn({ ...LOGOUT, logoutMethods: ['GET'] })
    const { browser } = app
    for (const [mode, destination] of [
      ['no-cors', 'image'],
      ['navigate', 'iframe'],
      ['cors', 'empty'],
    ] as const) {
      const headers = {
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': mode,
        'sec-fetch-dest': destination,
      }
      expect((await browser.send('/app/logout', { headers })).status).toBe(403)
      expect(browser.hasSession).toBe(true)
    }
    await expectEndSession(app, await browser.navigate('/app/logout', 'cross-site'))
    expect(browser.hasSession).toBe(false)
  })

  test("by another site's form is refused, and the session stays", async () => {
    const { browser } = await signedIn(LOGOUT)
    const answer = await browser.submit('/app/logout', '', 'https://evil.example')
    expect(answer.status).toBe(403)
    expect(answer.headers.get('location')).toBeNull()
    expect((await browser.navigate('/app')).status).toBe(200)
  })

  test('without a session still goes to the authorization server, which has to be asked', async () => {
    const app = await startLoginApp(LOGOUT)
    const answer = await app.browser.submit('/app/logout', '')
    const parameters = await expectEndSession(app, answer)
    expect(Object.fromEntries(parameters)).toEqual({ client_id: 'ostiary' })
  })

  test('of a script is told where its page should go', async () => {
    const app = await signedIn(LOGOUT)
    const answer = await app.browser.script('/app/logout', { method: 'DELETE' })
    expect(answer.status).toBe(200)
    const { location } = (await answer.json()) as { location: string }
    expect(location).toMatch(`${app.authorizationServer.issuer}/v1/logout?client_id=ostiary&id_token_hint=`)
    expect(app.browser.hasSession).toBe(false)
  })

  test('with a hint that is too long for a URL names the client alone', async () => {
    const groups = Array.from({ length: 150 }, (_, index) => `group-number-${index}-of-a-large-company`)
    const app = await startLoginApp((url) => ({ ...LOGOUT, logoutRedirectUri: url + POST_LOGOUT_PATH }), {
      server: { users: [{ id: '00u1', login: 'alice@example.com', name: 'Alice', groups }] },
    })
    await app.browser.login('/app')
    const parameters = await expectEndSession(app, await app.browser.submit('/app/logout', ''))
    expect([...parameters.keys()].sort()).toEqual(['client_id', 'post_logout_redirect_uri', 'state'])
  })

  test('while the authorization server is down ends the session here all the same', async () => {
    const { browser, authorizationServer } = await signedIn({ ...LOGOUT, logoutRevoke: true })
    await authorizationServer.faults.down('refused')
    const answer = await browser.submit('/app/logout', '')
    expect(answer.status).toBe(303)
    expect(browser.hasSession).toBe(false)
  })

  test('before the first answer of the authorization server still ends the session, with a page', async () => {
    const { browser, authorizationServer, apply } = await signedIn(LOGOUT)
    await authorizationServer.faults.down('refused')
    // Another server to the eyes of the client: nothing is known of it.
    apply({ ...LOGOUT, timeout: 1000 })
    const answer = await browser.submit('/app/logout', '')
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('You are signed out')
    expect(browser.hasSession).toBe(false)
  })
})

describe('logoutRevoke', () => {
  const SCOPES = { scopes: ['openid', 'offline_access'] }

  test.each([
    ['both tokens', {}, ['access_token', 'refresh_token']],
    ['the access token alone', { logoutRevokeRefreshToken: false }, ['access_token']],
    ['the refresh token alone', { logoutRevokeAccessToken: false }, ['refresh_token']],
  ])('revokes %s', async (_name, spec, hints) => {
    const { browser, authorizationServer } = await signedIn({
      ...LOGOUT,
      ...SCOPES,
      logoutRevoke: true,
      ...spec,
    })
    await browser.submit('/app/logout', '')
    const revoked = authorizationServer.faults.calls.filter(({ endpoint }) => endpoint === 'revoke')
    expect(new Set(revoked.map(({ parameters }) => parameters['token_type_hint']))).toEqual(new Set(hints))
    expect(revoked).toHaveLength(hints.length)
    for (const { authorizationScheme } of revoked) expect(authorizationScheme).toBe('basic')
  })

  test('is off by default', async () => {
    const { browser, authorizationServer } = await signedIn({ ...LOGOUT, ...SCOPES })
    await browser.submit('/app/logout', '')
    expect(authorizationServer.faults.calls.filter(({ endpoint }) => endpoint === 'revoke')).toEqual([])
  })
})

describe('/oauth2/sign_out', () => {
  test.each(['same-origin', 'none'] as const)('by GET from %s logs out at once', async (site) => {
    const app = await signedIn()
    await expectEndSession(app, await app.browser.navigate('/oauth2/sign_out', site))
    expect(app.browser.hasSession).toBe(false)
  })

  test.each(['cross-site', 'same-site'] as const)(
    'by GET from %s asks first, and its button logs out',
    async (site) => {
      const app = await signedIn()
      const { browser } = app
      const page = await browser.navigate('/oauth2/sign_out?rd=%2Fapp', site)
      expect(page.status).toBe(200)
      expect(browser.hasSession).toBe(true)
      const html = await page.text()
      expect(html).toContain('alice@example.com')
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      const action = /<form method="post" action="([^"]+)"/.exec(html)?.[1]
      expect(action).toBe('/oauth2/sign_out?rd=%2Fapp')
      await expectEndSession(app, await browser.submit(action!, ''))
      expect(browser.hasSession).toBe(false)
    },
  )

  test('asks a browser that does not say where it comes from', async () => {
    const { browser } = await signedIn()
    const page = await browser.send('/oauth2/sign_out', { headers: { accept: 'text/html' } })
    expect(await page.text()).toContain('<form method="post"')
    expect(browser.hasSession).toBe(true)
  })

  test.each(['https://evil.example', 'null'])('by POST of a page of %s is refused', async (origin) => {
    const { browser } = await signedIn()
    expect((await browser.submit('/oauth2/sign_out', '', origin)).status).toBe(403)
    expect(browser.hasSession).toBe(true)
  })

  test.each([
    ['/app?x=1', '/app?x=1'],
    ['//evil.example', undefined],
    ['https://evil.example/', undefined],
    ['/\\evil.example', undefined],
  ])('takes rd=%s only where it is on this site', async (rd, expected) => {
    const app = await signedIn()
    const answer = await app.browser.navigate(`/oauth2/sign_out?rd=${encodeURIComponent(rd)}`)
    const parameters = await expectEndSession(app, answer)
    expect(parameters.get('post_logout_redirect_uri') ?? undefined).toBe(
      expected === undefined ? undefined : app.ostiary.url + expected,
    )
    expect(app.browser.hasSession).toBe(false)
  })

  test('takes rd where it is the logoutRedirectUri, on whatever site', async () => {
    const app = await signedIn({ logoutRedirectUri: 'https://www.example.com/bye' })
    const answer = await app.browser.navigate(
      `/oauth2/sign_out?rd=${encodeURIComponent('https://www.example.com/bye')}`,
    )
    const parameters = await expectEndSession(app, answer)
    expect(parameters.get('post_logout_redirect_uri')).toBe('https://www.example.com/bye')
  })

  test('ends the sessions of all plugins of the host, or of the one that is named', async () => {
    const app = await startLoginApp()
    const { browser, apply, authorizationServer } = app
    const second = oidcPlugin('second', {
      issuer: authorizationServer.issuer,
      authMethods: ['session', 'authorization_code'],
      clientId: 'ostiary',
      clientSecretRef: { name: 'client' },
      sessionCookieName: 'second',
    })
    const route = ingress({
      name: 'second',
      path: '/second',
      annotations: { 'ostiary.dev/plugins': 'second' },
    })
    apply({}, second, route)
    await browser.login('/app')
    await browser.login('/second')
    await browser.navigate('/oauth2/sign_out?plugin=second')
    expect((await browser.script('/app')).status).toBe(200)
    expect((await browser.script('/second')).status).toBe(401)
    await browser.login('/second')
    await browser.navigate('/oauth2/sign_out')
    expect((await browser.script('/app')).status).toBe(401)
    expect((await browser.script('/second')).status).toBe(401)
    expect((await browser.navigate('/oauth2/sign_out?plugin=other')).status).toBe(400)
  })

  test('knows GET and POST only', async () => {
    const { browser } = await signedIn()
    const answer = await browser.script('/oauth2/sign_out', { method: 'DELETE' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST'])
    expect(browser.hasSession).toBe(true)
  })
})

test('a refused person is told who they are and can sign in as somebody else', async () => {
  const app = await startLoginApp()
  const { browser, apply } = app
  await browser.login('/app', 'bob@example.com')
  apply({ groupsRequired: ['Engineering'] })
  const html = await (await browser.navigate('/app')).text()
  expect(html).toContain('bob@example.com')
  const link = /<a href="([^"]+)">Switch account<\/a>/.exec(html)?.[1]
  await expectEndSession(app, await browser.navigate(link!, 'same-origin'))
  expect(browser.hasSession).toBe(false)
})
