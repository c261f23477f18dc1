import { SignJWT } from 'jose'
import { onTestFinished } from 'vitest'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import type { CompileResult } from '../../../src/compiler/options.ts'
import { HostileAuthorizationServer } from '../../support/hostile-authorization-server.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../../support/manifests.ts'
import { startOstiary, type Ostiary } from '../../support/ostiary.ts'
import { WebBrowser } from '../../support/web-browser.ts'

export type Claims = Readonly<Record<string, unknown>>
type Spec = Readonly<Record<string, unknown>>

export interface ProviderOptions {
  /** Signature of its tokens. Default: RS256. */
  readonly algorithm?: string
  /** Of the Ingress, beside the plugin's. */
  readonly annotations?: Readonly<Record<string, string>>
}

/** An authorization server that answers as some product does, and an application behind a plugin for it. */
export class Provider {
  readonly server: HostileAuthorizationServer
  readonly ostiary: Ostiary
  /** What became of the manifests. */
  readonly compiled: CompileResult
  readonly #algorithm: string

  private constructor(
    server: HostileAuthorizationServer,
    ostiary: Ostiary,
    compiled: CompileResult,
    algorithm: string,
  ) {
    this.server = server
    this.ostiary = ostiary
    this.compiled = compiled
    this.#algorithm = algorithm
  }

  /** @param spec The OIDCPlugin's, but for the issuer unless it is given, client and secret. */
  static async start(
    spec: Spec | ((issuer: string) => Spec),
    options: ProviderOptions = {},
  ): Promise<Provider> {
    const { algorithm = 'RS256', annotations = {} } = options
    const server = await HostileAuthorizationServer.start({ algorithm })
    const echo = await startEcho({ port: 0 })
    onTestFinished(() => echo.close())
    onTestFinished(() => server.close())
    const ostiary = await startOstiary('')
    const compiled = ostiary.apply(
      yaml(
        ...service('echo', echo.port),
        secret('client', { clientSecret: 'secret' }),
        oidcPlugin('app', {
          issuer: server.issuer,
          clientId: 'app',
          clientSecretRef: { name: 'client' },
          ...(typeof spec === 'function' ? spec(server.issuer) : spec),
        }),
        ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'app', ...annotations } }),
      ),
    )
    return new Provider(server, ostiary, compiled, algorithm)
  }

  /** A token for an hour of this server; a claim or header member of `undefined` is left out. */
  token(claims: Claims, header: Claims = {}): Promise<string> {
    const iat = Math.floor(Date.now() / 1000)
    const whole = JSON.parse(
      JSON.stringify({ iss: this.server.issuer, iat, exp: iat + 3600, ...claims }),
    ) as Claims
    const { kid, privateKey } = this.server.signingKey
    const named = JSON.parse(JSON.stringify({ kid, ...header })) as Claims
    return new SignJWT({ ...whole }).setProtectedHeader({ alg: this.#algorithm, ...named }).sign(privateKey)
  }

  /** Asks the application with a bearer token. */
  get(token: string): Promise<Response> {
    return fetch(`${this.ostiary.url}/app`, { headers: { authorization: `Bearer ${token}` } })
  }

  /** The status for an access token of these claims. */
  async statusOf(claims: Claims, header?: Claims): Promise<number> {
    return (await this.get(await this.token(claims, header))).status
  }

  /** What the upstream is told in a header, for an access token of these claims. */
  async told(name: string, claims: Claims): Promise<readonly string[] | undefined> {
    const answer = await this.get(await this.token(claims))
    if (answer.status !== 200) throw new Error(`refused: ${answer.status} ${await answer.text()}`)
    return headersOf(await answer.json())[name]
  }

  /** Answers the introspection endpoint. */
  introspect(answer: Claims): void {
    this.server.behave('introspect', () => ({ body: answer }))
  }

  /**
   * Signs somebody in and asks for the application's page.
   *
   * @param tokens The token endpoint's answer, given the claims that an ID token needs.
   */
  async login(tokens: (right: Claims) => Promise<Claims>): Promise<LoggedIn> {
    const browser = new WebBrowser(this.ostiary.url)
    const asked = browser.locationOf(await browser.navigate('/app')).searchParams
    const nonce = asked.get('nonce')
    const right = { aud: 'app', sub: 'user-1', nonce }
    this.server.behave('token', async () => ({ body: await tokens(right) }))
    const callback = `/oauth2/callback?code=c&state=${encodeURIComponent(asked.get('state') ?? '')}`
    const landed = await browser.navigate(callback, 'cross-site')
    const page = await browser.navigate('/app')
    const headers = page.status === 200 ? headersOf(await page.json()) : {}
    return { asked, landed: landed.status, status: page.status, headers }
  }
}

export interface LoggedIn {
  /** The authorization request. */
  readonly asked: URLSearchParams
  /** Status of the callback. */
  readonly landed: number
  /** Status of the page, and the headers that the upstream got. */
  readonly status: number
  readonly headers: Readonly<Record<string, readonly string[]>>
}

function headersOf(echoed: unknown): Readonly<Record<string, readonly string[]>> {
  return (echoed as { headers: Record<string, readonly string[]> }).headers
}
