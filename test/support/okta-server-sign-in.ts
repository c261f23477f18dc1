import { request } from 'undici'

/** The cookies of one browser, kept apart by host name (not port, as browsers do) and path. */
export class CookieJar {
  readonly #cookies = new Map<string, { host: string; path: string; pair: string }>()

  store(url: URL, headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/;\s*/)
      const name = pair.slice(0, pair.indexOf('='))
      const path = attribute(attributes, 'path') ?? '/'
      const key = `${url.hostname} ${path} ${name}`
      const expires = attribute(attributes, 'expires')
      const isGone =
        attribute(attributes, 'max-age') === '0' || (expires && Date.parse(expires) <= Date.now())
      if (isGone) this.#cookies.delete(key)
      else this.#cookies.set(key, { host: url.hostname, path, pair })
    }
  }

  /** The Cookie header for a request; empty without cookies. */
  header(url: URL): string {
    return [...this.#cookies.values()]
      .filter(({ host, path }) => host === url.hostname && isBelow(url.pathname, path))
      .map(({ pair }) => pair)
      .join('; ')
  }
}

export interface SignInOptions {
  readonly username?: string
  readonly password?: string
  /** Keeps the authorization server's session from one sign-in to the next. */
  readonly jar?: CookieJar
}

/** Where the authorization server sent the browser in the end, or the page at which it stopped. */
export type SignInOutcome =
  | { readonly kind: 'redirect'; readonly location: URL }
  | { readonly kind: 'page'; readonly status: number; readonly html: string }

/**
 * Does what a person in a browser does at the embedded authorization server: follows redirects on its origin, fills
 * in the sign-in form once, and stops at the first redirect that leads elsewhere or the first page without a form.
 *
 * @param authorizationUrl The authorization request, as a relying party's redirect has it.
 */
export async function signIn(
  authorizationUrl: string | URL,
  options: SignInOptions = {},
): Promise<SignInOutcome> {
  const { username = 'alice@example.com', password = 'any', jar = new CookieJar() } = options
  const { origin } = new URL(authorizationUrl)
  let url = new URL(authorizationUrl)
  let form: URLSearchParams | undefined
  for (let step = 0; step < 10; step += 1) {
    const response = await visit(url, jar, form)
    const location = response.headers.get('location')
    if (location === null) {
      const { status, html } = response
      if (form || !html.includes('name="username"')) return { kind: 'page', status, html }
      form = new URLSearchParams({ username, password })
      continue
    }
    form = undefined
    url = new URL(location, url)
    if (url.origin !== origin) return { kind: 'redirect', location: url }
  }
  throw new Error('the sign-in ran in a circle')
}

/** What a visit found; `html` is the body, whatever it holds. */
export interface Visit {
  readonly status: number
  readonly headers: Headers
  readonly html: string
}

/**
 * One page load with the jar's cookies, marked as browsers mark theirs, which `fetch` cannot do. Redirects are left
 * to the caller.
 */
export async function visit(url: URL, jar: CookieJar, form?: URLSearchParams): Promise<Visit> {
  const cookie = jar.header(url)
  const { statusCode, headers, body } = await request(url, {
    method: form ? 'POST' : 'GET',
    headers: {
      accept: 'text/html',
      'sec-fetch-dest': 'document',
      'sec-fetch-mode': 'navigate',
      ...(cookie !== '' && { cookie }),
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(form && { body: form.toString() }),
  })
  const found = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    for (const each of [value ?? []].flat()) found.append(name, each)
  }
  jar.store(url, found)
  return { status: statusCode, headers: found, html: await body.text() }
}

function attribute(attributes: readonly string[], name: string): string | undefined {
  const found = attributes.find((each) => each.toLowerCase().startsWith(`${name}=`))
  return found?.slice(name.length + 1)
}

function isBelow(path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`)
}
