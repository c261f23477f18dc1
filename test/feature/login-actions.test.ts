import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { startLoginApp, type Echoed } from '../support/login-app.ts'
import { WebBrowser } from '../support/web-browser.ts'

describe('loginAction', () => {
  test('redirect goes to loginRedirectUri where there is one', async () => {
    const { ostiary, browser } = await startLoginApp((url) => ({
      loginRedirectUri: `${url}/app/welcome?a=1`,
    }))
    const landed = await browser.login('/app/elsewhere')
    expect(landed.status).toBe(302)
    expect(landed.headers.get('location')).toBe(`${ostiary.url}/app/welcome?a=1`)
    expect((await browser.navigate('/app/welcome?a=1')).status).toBe(200)
  })

  test('redirect puts no token into the URL unless loginTokens names it', async () => {
    const { browser } = await startLoginApp()
    expect((await browser.login('/app?x=1')).headers.get('location')).toBe('/app?x=1')
  })

  test.each([
    ['fragment', (url: URL) => new URLSearchParams(url.hash.slice(1)), ''],
    ['query', (url: URL) => url.searchParams, '?x=1&'],
  ])('redirect puts loginTokens into the %s', async (mode, read, query) => {
    const { browser } = await startLoginApp({ loginTokens: ['id_token'], loginRedirectMode: mode })
    const location = browser.locationOf(await browser.login('/app?x=1'))
    const parameters = read(location)
    expect(decodeJwt(parameters.get('id_token') ?? '')).toMatchObject({ aud: 'ostiary' })
    expect(location.href).not.toContain('access_token=')
    expect(location.search).toMatch(query === '' ? /^\?x=1$/ : /^\?x=1&id_token=[^&]+$/)
  })

  test('response answers with the tokens that are named, and with the session', async () => {
    const { browser } = await startLoginApp({
      loginAction: 'response',
      loginTokens: ['access_token', 'refresh_token'],
      scopes: ['openid', 'offline_access'],
    })
    const answer = await browser.login('/app')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(await answer.json()).toEqual({
      access_token: expect.stringMatching(/^eyJ/),
      refresh_token: expect.any(String),
    })
    expect((await browser.navigate('/app')).status).toBe(200)
  })

  test('upstream passes the callback on to its route, with the query that the login began with', async () => {
    const { browser } = await startLoginApp(
      (url) => ({ loginAction: 'upstream', redirectUri: `${url}/app/portal` }),
      { redirectPaths: ['/app/portal'] },
    )
    const answer = await browser.login('/app/start?x=%2F&y=1')
    expect(answer.status).toBe(200)
    const { path, method, headers } = (await answer.json()) as Echoed
    expect([method, path]).toEqual(['GET', '/app/portal?x=%2F&y=1'])
    expect(headers['Authorization']).toEqual([expect.stringMatching(/^Bearer eyJ/)])
    expect(headers['Cookie']).toBeUndefined()
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(answer.headers.get('referrer-policy')).toBe('strict-origin')
    const later = await browser.navigate('/app')
    expect([later.status, later.headers.get('referrer-policy')]).toEqual([200, null])
  })

  test('upstream judges the route like any request: a person who may not is refused, and signed in', async () => {
    const { browser, apply } = await startLoginApp(
      (url) => ({ loginAction: 'upstream', redirectUri: `${url}/app/portal` }),
      { redirectPaths: ['/app/portal'] },
    )
    apply({ groupsRequired: ['Engineering'] })
    const answer = await browser.login('/app/start', 'bob@example.com')
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('bob@example.com')
    expect(browser.hasSession).toBe(true)
    apply()
    expect((await browser.navigate('/app')).status).toBe(200)
  })

  test('upstream on a reserved path is refused when it is applied', async () => {
    const { apply, ostiary, browser } = await startLoginApp()
    apply({ loginAction: 'upstream', redirectUri: `${ostiary.url}/oauth2/callback` })
    expect((await browser.navigate('/app')).status).toBe(503)
  })
})

describe('the authorization request', () => {
  test('carries what the plugin adds and what the browser may choose, and nothing else of the query', async () => {
    const { browser } = await startLoginApp({
      authorizationQueryArgsNames: ['prompt', 'acr_values', 'resource', 'resource'],
      authorizationQueryArgsValues: ['login', 'one', 'urn:a', 'urn:b'],
      authorizationQueryArgsClient: ['login_hint', 'acr_values'],
    })
    const start = await browser.navigate(
      '/app?login_hint=alice%40example.com&acr_values=two&state=evil&scope=admin&redirect_uri=https%3A%2F%2Fevil.example',
    )
    const { searchParams } = browser.locationOf(start)
    expect(searchParams.getAll('prompt')).toEqual(['login'])
    expect(searchParams.getAll('login_hint')).toEqual(['alice@example.com'])
    expect(searchParams.getAll('acr_values')).toEqual(['two'])
    expect(searchParams.getAll('resource')).toEqual(['urn:a', 'urn:b'])
    expect(searchParams.getAll('state')).toHaveLength(1)
    expect(searchParams.get('state')).not.toBe('evil')
    expect(searchParams.getAll('scope')).toEqual(['openid profile email'])
    expect(searchParams.getAll('redirect_uri')).toEqual([`${browser.origin}/oauth2/callback`])
  })

  test('takes nothing from the browser unless the plugin lists it', async () => {
    const { browser } = await startLoginApp()
    const { searchParams } = browser.locationOf(
      await browser.navigate('/app?prompt=none&login_hint=mallory&max_age=0'),
    )
    expect(['prompt', 'login_hint', 'max_age'].filter((name) => searchParams.has(name))).toEqual([])
  })
})

describe('responseMode form_post', () => {
  const FORM_POST = { responseMode: 'form_post' }
  const RESPONSE = /name="(code|state|iss)" value="([^"]+)"/g

  /** What the authorization server's page posts. */
  async function formOf(app: Awaited<ReturnType<typeof startLoginApp>>): Promise<URLSearchParams> {
    const { browser } = app
    const start = await browser.navigate('/app/a?b=1')
    expect(start.headers.getSetCookie().join()).toMatch(/SameSite=None/i)
    expect(start.headers.getSetCookie().join()).toMatch(/Secure/i)
    expect(browser.locationOf(start).searchParams.get('response_mode')).toBe('form_post')
    const html = await browser.signInPage(start)
    return new URLSearchParams([...html.matchAll(RESPONSE)].map(([, name, value]) => [name!, value!]))
  }

  test('completes a login by the POST of the authorization server, from its origin', async () => {
    const app = await startLoginApp(FORM_POST)
    const { browser, authorizationServer } = app
    const landed = await browser.submit(
      '/oauth2/callback',
      await formOf(app),
      new URL(authorizationServer.issuer).origin,
    )
    expect([landed.status, landed.headers.get('location')]).toEqual([303, '/app/a?b=1'])
    expect((await browser.navigate('/app/a?b=1')).status).toBe(200)
  })

  test('the POST proves nothing without the flow cookie', async () => {
    const app = await startLoginApp(FORM_POST)
    const form = await formOf(app)
    const other = new WebBrowser(app.ostiary.url)
    const answer = await other.submit('/oauth2/callback', form, 'https://evil.example')
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toContain('/v1/authorize')
    expect(other.hasSession).toBe(false)
  })

  test('a POST is no callback for a plugin with responseMode query, and its refusal is a page', async () => {
    const app = await startLoginApp()
    const callback = await app.browser.signIn(await app.browser.navigate('/app'))
    const answer = await app.browser.submit('/oauth2/callback', callback.searchParams)
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toContain('text/html')
    expect(app.browser.hasSession).toBe(false)
  })

  test.each(['text/plain', 'application/json', 'multipart/form-data; boundary=x'])(
    'a body of %s is no callback',
    async (contentType) => {
      const app = await startLoginApp(FORM_POST)
      const form = await formOf(app)
      const answer = await app.browser.send('/oauth2/callback', {
        method: 'POST',
        headers: { 'content-type': contentType },
        body: String(form),
      })
      expect(answer.status).toBe(400)
      expect(app.browser.hasSession).toBe(false)
    },
  )

  test('is not set up over http on a host that is not loopback', async () => {
    const app = await startLoginApp(FORM_POST)
    const answer = await app.browser.send('/app', {
      headers: { accept: 'text/html', host: 'app.example.com' },
    })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('location')).toBeNull()
  })
})

test('a login for a SameSite=Strict session ends on a page that goes on by itself, not in a redirect', async () => {
  const { browser } = await startLoginApp({ sessionCookieSameSite: 'Strict' })
  const page = await browser.login('/app?a="><script>&b=\'')
  expect(page.status).toBe(200)
  expect(page.headers.get('location')).toBeNull()
  expect(page.headers.get('cache-control')).toContain('no-store')
  const html = await page.text()
  expect(html).toContain('<meta http-equiv="refresh" content="0; url=/app?a=')
  expect(html).not.toContain('<script')
  expect((await browser.navigate('/app')).status).toBe(200)
})
