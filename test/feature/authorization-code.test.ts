import { request } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { DEMO_CLIENTS } from '../../deploy/demo/authorization-server/registration.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'
import { CookieJar, signIn } from '../support/okta-server-sign-in.ts'
import { startOstiary, type Ostiary } from '../support/ostiary.ts'

interface Setup {
  readonly ostiary: Ostiary
  readonly authorizationServer: AuthorizationServer
  readonly apply: (spec?: object) => void
}

async function setup(spec: object = {}): Promise<Setup> {
  const ostiary = await startOstiary('')
  const redirectUris = [`${ostiary.url}/oauth2/callback`]
  const clients = DEMO_CLIENTS.map((each) => (each.clientId === 'ostiary' ? { ...each, redirectUris } : each))
  const authorizationServer = await startAuthorizationServer({ port: 0, clients })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  function apply(changed: object = {}): void {
    const login = oidcPlugin('app', {
      issuer: authorizationServer.issuer,
      authMethods: ['session', 'authorization_code'],
      clientId: 'ostiary',
      clientSecretRef: { name: 'client' },
      scopes: ['openid', 'profile', 'email'],
      ...changed,
    })
    ostiary.apply(
      yaml(
        ...service('echo', echo.port),
        secret('client', { clientSecret: 'ostiary-secret' }),
        login,
        ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'app' } }),
      ),
    )
  }
  apply(spec)
  return { ostiary, authorizationServer, apply }
}

/** Sends exactly these headers: `fetch` would add a Sec-Fetch-Mode of its own. */
async function send(url: URL | string, method: string, headers: Record<string, string>): Promise<Response> {
  const answer = await request(url, { method: method as 'GET', headers })
  const body = await answer.body.text()
  const list = Object.entries(answer.headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): [string, string] => [name, each]),
  )
  return new Response(body === '' ? null : body, { status: answer.statusCode, headers: list })
}

/** A browser: sends what a navigation sends, keeps cookies, follows nothing by itself. */
class Browser {
  readonly jar = new CookieJar()
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  async navigate(target: string): Promise<Response> {
    return this.#send(target, {
      accept: 'text/html',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    })
  }

  async fetch(target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    return this.#send(target, { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', ...headers }, method)
  }

  async #send(target: string, headers: Record<string, string>, method = 'GET'): Promise<Response> {
    const url = new URL(target, this.#origin)
    const cookie = this.jar.header(url)
    const response = await send(url, method, { ...headers, ...(cookie !== '' && { cookie }) })
    this.jar.store(url, response.headers)
    return response
  }

  /** From a page that redirects to the login to the answer of the callback. */
  async login(target: string, username?: string): Promise<Response> {
    const start = await this.navigate(target)
    const outcome = await signIn(
      start.headers.get('location') ?? '',
      username === undefined ? {} : { username },
    )
    if (outcome.kind !== 'redirect') throw new Error(`stopped at a page: ${outcome.status} ${outcome.html}`)
    return this.navigate(outcome.location.href)
  }
}

interface Echoed {
  readonly path: string
  readonly headers: Readonly<Record<string, readonly string[]>>
}

describe('authorization code', () => {
  test('a navigation signs in, lands on its exact URL, and has a session from then on', async () => {
    const { ostiary } = await setup()
    const browser = new Browser(ostiary.url)
    const landed = await browser.login('/app/a%20b?x=1&y=%2F&x=2')
    expect([302, 303]).toContain(landed.status)
    expect(new URL(landed.headers.get('location') ?? '', ostiary.url).href).toBe(
      `${ostiary.url}/app/a%20b?x=1&y=%2F&x=2`,
    )
    const page = await browser.navigate('/app/a%20b?x=1&y=%2F&x=2')
    expect(page.status).toBe(200)
    const { path, headers } = (await page.json()) as Echoed
    expect(path).toBe('/app/a%20b?x=1&y=%2F&x=2')
    expect(headers['Authorization']).toEqual([expect.stringMatching(/^Bearer eyJ/)])
    expect(headers['Cookie']).toBeUndefined()
  })

  test('the authorization request has PKCE, a nonce and a sealed state, and is not cached', async () => {
    const { ostiary, authorizationServer } = await setup()
    const start = await new Browser(ostiary.url).navigate('/app')
    expect(start.status).toBe(302)
    expect(start.headers.get('cache-control')).toContain('no-store')
    const { origin, searchParams } = new URL(start.headers.get('location') ?? '')
    expect(origin).toBe(new URL(authorizationServer.issuer).origin)
    expect(Object.fromEntries(searchParams)).toMatchObject({
      client_id: 'ostiary',
      response_type: 'code',
      redirect_uri: `${ostiary.url}/oauth2/callback`,
      scope: 'openid profile email',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/.{16,}/),
      state: expect.stringMatching(/^[A-Za-z0-9,._-]+$/),
    })
  })

  test.each([
    ['fetch', { 'sec-fetch-mode': 'cors' }, 'GET'],
    [
      'XMLHttpRequest without Sec-Fetch',
      { 'x-requested-with': 'XMLHttpRequest', accept: 'application/json' },
      'GET',
    ],
    ['curl', { accept: '*/*' }, 'GET'],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', accept: 'text/html' }, 'GET'],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', accept: 'text/html' }, 'GET'],
    ['HEAD', { accept: 'text/html' }, 'HEAD'],
    ['POST', { accept: 'text/html' }, 'POST'],
    ['OPTIONS', { accept: 'text/html' }, 'OPTIONS'],
  ])('%s gets 401 and no redirect', async (_name, headers, method) => {
    const { ostiary } = await setup()
    const response = await send(`${ostiary.url}/app`, method, headers)
    expect(response.status).toBe(401)
    expect(response.headers.get('location')).toBeNull()
    expect(response.headers.getSetCookie()).toEqual([])
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm=/)
  })

  test('a refused person sees a page, and keeps the session', async () => {
    const { ostiary, apply } = await setup()
    const browser = new Browser(ostiary.url)
    await browser.login('/app', 'bob@example.com')
    apply({ groupsRequired: ['Engineering'] })
    const refused = await browser.navigate('/app')
    expect(refused.status).toBe(403)
    expect(refused.headers.get('content-type')).toContain('text/html')
    expect(await refused.text()).toContain('bob@example.com')
    apply()
    expect((await browser.navigate('/app')).status).toBe(200)
  })

  test('a session cookie that was tampered with counts as none', async () => {
    const { ostiary } = await setup()
    const browser = new Browser(ostiary.url)
    await browser.login('/app')
    const cookie = browser.jar.header(new URL(ostiary.url))
    const middle = Math.floor(cookie.length / 2)
    const flipped = cookie.slice(0, middle) + (cookie[middle] === 'A' ? 'B' : 'A') + cookie.slice(middle + 1)
    const response = await fetch(`${ostiary.url}/app`, { headers: { cookie: flipped } })
    expect(response.status).toBe(401)
  })

  test('an unsafe method with a session needs the origin of the page', async () => {
    const { ostiary } = await setup()
    const browser = new Browser(ostiary.url)
    await browser.login('/app')
    const evil = await browser.fetch(
      '/app',
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      'POST',
    )
    expect(evil.status).toBe(403)
    const own = await browser.fetch('/app', { origin: ostiary.url, 'sec-fetch-site': 'same-origin' }, 'POST')
    expect(own.status).toBe(200)
  })

  test('a callback without its flow cookie gives no session', async () => {
    const { ostiary } = await setup()
    const victim = new Browser(ostiary.url)
    const start = await victim.navigate('/app')
    const outcome = await signIn(start.headers.get('location') ?? '')
    if (outcome.kind !== 'redirect') throw new Error('no redirect')
    const other = new Browser(ostiary.url)
    const response = await other.navigate(outcome.location.href)
    expect(other.jar.header(new URL(ostiary.url))).not.toMatch(/ostiary_/)
    expect(response.status).not.toBe(200)
    expect((await other.fetch('/app')).status).toBe(401)
  })

  test('a login while the authorization server is down is 503, and works without a restart afterwards', async () => {
    const { ostiary, authorizationServer } = await setup()
    await authorizationServer.faults.down('refused')
    const browser = new Browser(ostiary.url)
    const refused = await browser.navigate('/app')
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})
