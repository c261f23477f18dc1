import { request } from 'undici'
import { CookieJar, signIn, visit, type Visit } from './okta-server-sign-in.ts'

/** What a request is sent with beside cookies. */
export interface Sending {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Whose page a navigation begins on, as Sec-Fetch-Site has it. */
export type Site = 'none' | 'same-origin' | 'same-site' | 'cross-site'

/**
 * A browser in front of Ostiary and of the authorization server: sends what browsers send, keeps cookies of both, and
 * follows nothing by itself. SameSite is not kept: see test/demo for a real browser.
 */
export class WebBrowser {
  jar = new CookieJar()
  /** Of the authorization server: who is signed in there. */
  readonly serverJar = new CookieJar()
  readonly origin: string

  constructor(origin: string) {
    this.origin = origin
  }

  /** Goes to a page. */
  navigate(target: string, site: Site = 'none'): Promise<Response> {
    return this.send(target, {
      headers: {
        accept: 'text/html',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-site': site,
      },
    })
  }

  /** Sends a form of a page on this origin, or on another. */
  submit(target: string, form: string | URLSearchParams, origin = this.origin): Promise<Response> {
    return this.send(target, {
      method: 'POST',
      headers: {
        accept: 'text/html',
        'content-type': 'application/x-www-form-urlencoded',
        origin,
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-site': origin === this.origin ? 'same-origin' : 'cross-site',
      },
      body: String(form),
    })
  }

  /** What a script of a page on this origin does. */
  script(target: string, sending: Sending = {}): Promise<Response> {
    const { method = 'GET', headers } = sending
    return this.send(target, {
      ...sending,
      headers: {
        accept: '*/*',
        ...(method !== 'GET' && { origin: this.origin }),
        'sec-fetch-mode': 'cors',
        'sec-fetch-dest': 'empty',
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
    })
  }

  /** Sends exactly these headers and the cookies: `fetch` would add a Sec-Fetch-Mode of its own. */
  async send(target: string, { method = 'GET', headers = {}, body }: Sending = {}): Promise<Response> {
    const url = new URL(target, this.origin)
    const cookie = this.jar.header(url)
    const answer = await request(url, {
      method,
      headers: { ...(cookie !== '' && { cookie }), ...headers },
      ...(body !== undefined && { body }),
    })
    const text = await answer.body.text()
    const list = Object.entries(answer.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each): [string, string] => [name, each]),
    )
    const response = new Response(text === '' ? null : text, { status: answer.statusCode, headers: list })
    this.jar.store(url, response.headers)
    return response
  }

  /** Signs in where a redirect leads to; gives the callback's URL, not yet visited. */
  async signIn(start: Response, username = 'alice@example.com'): Promise<URL> {
    const location = start.headers.get('location')
    if (location === null) throw new Error(`no redirect to a login: ${start.status} ${await start.text()}`)
    const outcome = await signIn(location, { username, jar: this.serverJar })
    if (outcome.kind !== 'redirect') throw new Error(`stopped at a page: ${outcome.status} ${outcome.html}`)
    return outcome.location
  }

  /** Signs in where the answer is a page that posts itself (`response_mode=form_post`); gives its HTML. */
  async signInPage(start: Response, username = 'alice@example.com'): Promise<string> {
    const outcome = await signIn(this.locationOf(start), { username, jar: this.serverJar })
    if (outcome.kind !== 'page' || outcome.status !== 200) throw new Error('there was no page')
    return outcome.html
  }

  /** Goes to a page of the authorization server. */
  atServer(url: URL): Promise<Visit> {
    return visit(url, this.serverJar)
  }

  /** From a page that redirects to the login to the answer of the callback. */
  async login(target: string, username?: string): Promise<Response> {
    const callback = await this.signIn(await this.navigate(target), username)
    return this.navigate(callback.href, 'cross-site')
  }

  /** Where a response sends the browser, as an absolute URL. */
  locationOf(response: Response): URL {
    const location = response.headers.get('location')
    if (location === null) throw new Error(`expected a redirect, got ${response.status}`)
    return new URL(location, this.origin)
  }

  /** Loses all cookies of Ostiary, but stays signed in at the authorization server. */
  forgetSession(): void {
    this.jar = new CookieJar()
  }

  /** Whether a session cookie is there. */
  get hasSession(): boolean {
    return /_os_\d=/.test(this.jar.header(new URL(this.origin)))
  }
}
