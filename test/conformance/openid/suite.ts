import { randomUUID } from 'node:crypto'
import { SignJWT, type JWK } from 'jose'
import { expect, onTestFinished } from 'vitest'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { nowSeconds } from '../../../src/clock.ts'
import { HostileAuthorizationServer } from '../../support/hostile-authorization-server.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../../support/manifests.ts'
import { startOstiary, type Ostiary } from '../../support/ostiary.ts'
import { WebBrowser } from '../../support/web-browser.ts'

export type Claims = Readonly<Record<string, unknown>>

/** How the authorization server answers a login, as a module of the suite scripts it. */
export interface Script {
  /** Changes to the claims of the ID token; `undefined` removes one. */
  readonly claims?: (right: Claims) => Claims
  /** Signs the ID token in place of the right key. */
  readonly sign?: (claims: Claims) => string | Promise<string>
  /** Just before the ID token is signed. */
  readonly beforeSigning?: () => void | Promise<void>
}

export const USER_INFO = { sub: '00u1', name: 'Alice', email: 'alice@example.com' }
export const CLIENT = { id: 'app', secret: 's:e cret%' }
export const BYE = '/bye'

/** An application at `/app` behind a login, and an authorization server that plays the suite's part. */
export class Suite {
  readonly clock: ManualClock
  readonly server: HostileAuthorizationServer
  readonly ostiary: Ostiary
  readonly #spec: Readonly<Record<string, unknown>>

  private constructor(
    clock: ManualClock,
    server: HostileAuthorizationServer,
    ostiary: Ostiary,
    spec: Readonly<Record<string, unknown>>,
  ) {
    this.clock = clock
    this.server = server
    this.ostiary = ostiary
    this.#spec = spec
  }

  /** @param spec Fields of the OIDCPlugin beyond issuer, client and user info. */
  static async start(spec: Readonly<Record<string, unknown>> = {}): Promise<Suite> {
    const clock = new ManualClock(Date.now())
    const server = await HostileAuthorizationServer.start()
    const echo = await startEcho({ port: 0 })
    onTestFinished(() => echo.close())
    onTestFinished(() => server.close())
    server.behave('userinfo', () => ({ body: USER_INFO }))
    const ostiary = await startOstiary('', { clock })
    const plugin = oidcPlugin('app', {
      issuer: server.issuer,
      authMethods: ['session', 'authorization_code'],
      clientId: CLIENT.id,
      clientSecretRef: { name: 'client' },
      scopes: ['openid', 'profile', 'email'],
      searchUserInfo: true,
      upstreamHeadersClaims: ['sub', 'email'],
      upstreamHeadersNames: ['X-Sub', 'X-Email'],
      logoutRedirectUri: ostiary.url + BYE,
      ...spec,
    })
    ostiary.apply(
      yaml(
        ...service('echo', echo.port),
        secret('client', { clientSecret: CLIENT.secret }),
        plugin,
        ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'app' } }),
        ingress({ name: 'bye', path: BYE }),
      ),
    )
    return new Suite(clock, server, ostiary, spec)
  }

  browser(): WebBrowser {
    return new WebBrowser(this.ostiary.url)
  }

  /** The claims of the right ID token. */
  claims(nonce?: string | null): Claims {
    const iat = nowSeconds(this.clock)
    const { sub } = USER_INFO
    const always = { iss: this.server.issuer, aud: CLIENT.id, sub, sid: 'sid-1', iat, exp: iat + 300 }
    return typeof nonce === 'string' ? { ...always, nonce } : always
  }

  /** The authorization request that a visit of the application leads to. */
  async authorizationRequest(browser: WebBrowser): Promise<URLSearchParams> {
    const start = await browser.navigate('/app')
    expect(start.status).toBe(302)
    return browser.locationOf(start).searchParams
  }

  /** Runs a login up to the answer of the callback. */
  async login(script: Script = {}, browser = this.browser()): Promise<Response> {
    const asked = await this.authorizationRequest(browser)
    this.answerToken(script, asked.get('nonce'))
    return this.callBack(browser, asked, { code: randomUUID() })
  }

  /** Has the token endpoint answer as scripted. */
  answerToken(script: Script, nonce: string | null, more: Claims = {}): void {
    this.server.behave('token', async () => {
      await script.beforeSigning?.()
      const right = this.claims(nonce)
      const claims = script.claims?.(right) ?? right
      const idToken = await (script.sign?.(claims) ?? this.server.sign(claims))
      const body = {
        access_token: `token-${this.server.count('token')}`,
        token_type: 'Bearer',
        expires_in: 300,
        id_token: idToken,
        ...more,
      }
      return { body }
    })
  }

  /** Sends the browser back as the response mode has it. */
  callBack(
    browser: WebBrowser,
    asked: URLSearchParams,
    answer: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const { pathname } = new URL(asked.get('redirect_uri') ?? '')
    const parameters = new URLSearchParams({ ...answer, state: asked.get('state') ?? '' })
    if (this.#spec['responseMode'] === 'form_post') {
      return browser.submit(pathname, parameters, new URL(this.server.issuer).origin)
    }
    return browser.navigate(`${pathname}?${parameters.toString()}`, 'cross-site')
  }

  /** Signs with the right key, under any header. */
  signUnder(header: Claims): (claims: Claims) => Promise<string> {
    return (claims) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', ...header })
        .sign(this.server.signingKey.privateKey)
  }

  /** Publishes these keys in place of the right ones. */
  publish(...keys: readonly JWK[]): void {
    this.server.behave('keys', () => ({ body: { keys } }))
  }

  /** Posts a logout token. */
  async backchannel(token: string): Promise<Response> {
    return fetch(`${this.ostiary.url}/oauth2/backchannel_logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    })
  }

  /** The login is good: the browser is sent back, and the application says to whom it answers. */
  async expectAccepted(landed: Response, browser: WebBrowser): Promise<Record<string, readonly string[]>> {
    expect([landed.status, landed.headers.get('location')]).toEqual([
      this.#spec['responseMode'] === 'form_post' ? 303 : 302,
      '/app',
    ])
    const page = await browser.navigate('/app')
    expect(page.status).toBe(200)
    const { headers } = (await page.json()) as { headers: Record<string, readonly string[]> }
    return headers
  }

  /** The login is refused with a page, there is no session, and the application is not reached. */
  async expectRejected(landed: Response, browser: WebBrowser): Promise<void> {
    expect(landed.status).toBe(400)
    expect(landed.headers.get('content-type')).toContain('text/html')
    expect(browser.hasSession).toBe(false)
    expect((await browser.navigate('/app')).status).toBe(302)
    expect(this.server.count('userinfo')).toBe(0)
  }
}

/** The claims but for one. */
export function without(name: string): (claims: Claims) => Claims {
  return (claims) => Object.fromEntries(Object.entries(claims).filter(([each]) => each !== name))
}

/** A JWT whose signature has one bit flipped. */
export function broken(token: string): string {
  const at = token.lastIndexOf('.') + 10
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}
