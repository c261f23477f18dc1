import type { HeaderList } from '../../../src/auth/decision.ts'
import type { LoginOutcome } from '../../../src/auth/relying-party/finish-login.ts'
import type { RequestFacts } from '../../../src/auth/request-facts.ts'

interface StoredCookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly sameSite: string | undefined
  readonly order: number
}

/** Facts of a request, as the proxy would give them. */
export function factsOf(url: string, options: Partial<RequestFacts> = {}): RequestFacts {
  const { protocol, host, hostname } = new URL(url)
  const target = url.slice(url.indexOf('/', url.indexOf('//') + 2))
  const queryAt = target.indexOf('?')
  return {
    method: 'GET',
    scheme: protocol === 'https:' ? 'https' : 'http',
    host: hostname,
    authority: host,
    target,
    path: queryAt === -1 ? target : target.slice(0, queryAt),
    query: queryAt === -1 ? '' : target.slice(queryAt + 1),
    headers: {},
    clientAddress: '192.0.2.1',
    form: () => Promise.resolve(undefined),
    ...options,
  }
}

/** Keeps and sends cookies as browsers do (RFC 6265bis): prefixes, Domain, Path, Secure, size, overwriting. */
export class Browser {
  #cookies: StoredCookie[] = []
  #order = 0

  /** The facts of a navigation from this browser; `crossSite` leaves SameSite=Strict cookies out. */
  go(url: string, options: { crossSite?: boolean } = {}): RequestFacts {
    const facts = factsOf(url)
    const cookies = this.#cookies
      .filter((cookie) => isSent(cookie, facts))
      .filter(({ sameSite }) => !(options.crossSite && sameSite === 'Strict'))
      .sort((one, other) => other.path.length - one.path.length || one.order - other.order)
      .map(({ name, value }) => `${name}=${value}`)
    const headers = cookies.length === 0 ? {} : { cookie: cookies.join('; ') }
    return { ...facts, headers: { ...headers, accept: 'text/html' } }
  }

  /** Stores what a response sets. */
  take(decision: LoginOutcome | undefined, facts: RequestFacts): void {
    if (decision !== undefined) this.takeHeaders(decision.responseHeaders, facts)
  }

  takeHeaders(headers: HeaderList, facts: RequestFacts): void {
    for (const value of setCookiesIn(headers)) this.#store(value, facts)
  }

  /** Names of the cookies that it holds, sorted. */
  names(): readonly string[] {
    return this.#cookies.map(({ name }) => name).sort()
  }

  /** Loses the cookies whose names match. */
  forget(names: RegExp): void {
    this.#cookies = this.#cookies.filter(({ name }) => !names.test(name))
  }

  /** Plants a cookie as a sibling host can with a parent's Domain. */
  plant(setCookie: string, from: RequestFacts): void {
    this.#store(setCookie, from)
  }

  #store(setCookie: string, facts: RequestFacts): void {
    if (Buffer.byteLength(setCookie) > 4096) throw new Error('a browser would drop this cookie')
    const [pair = '', ...rest] = setCookie.split('; ')
    const attributes = new Map(rest.map((each) => splitOnce(each)))
    const [name, value] = splitOnce(pair)
    const domain = attributes.get('Domain')
    const cookie: StoredCookie = {
      name,
      value,
      domain: domain ?? facts.host,
      hostOnly: domain === undefined,
      path: attributes.get('Path') ?? '/',
      secure: attributes.has('Secure'),
      sameSite: attributes.get('SameSite'),
      order: this.#order,
    }
    this.#order += 1
    if (!isAccepted(cookie, facts)) return
    this.#cookies = this.#cookies.filter((other) => !isSameCookie(other, cookie))
    if (attributes.get('Max-Age') !== '0') this.#cookies.push(cookie)
  }
}

/** The values of the Set-Cookie headers in a list. */
export function setCookiesIn(headers: HeaderList): readonly string[] {
  return headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)
}

function isAccepted(cookie: StoredCookie, facts: RequestFacts): boolean {
  if (cookie.secure && facts.scheme === 'http') return false
  if (cookie.name.startsWith('__Secure-') && !cookie.secure) return false
  if (cookie.name.startsWith('__Host-') && !(cookie.secure && cookie.hostOnly && cookie.path === '/'))
    return false
  return facts.host === cookie.domain || facts.host.endsWith(`.${cookie.domain}`)
}

function isSent(cookie: StoredCookie, facts: RequestFacts): boolean {
  if (cookie.secure && facts.scheme === 'http') return false
  const { domain, path } = cookie
  if (facts.host !== domain && (cookie.hostOnly || !facts.host.endsWith(`.${domain}`))) return false
  return facts.path === path || facts.path.startsWith(path.endsWith('/') ? path : `${path}/`)
}

function isSameCookie(one: StoredCookie, other: StoredCookie): boolean {
  return (
    one.name === other.name &&
    one.domain === other.domain &&
    one.hostOnly === other.hostOnly &&
    one.path === other.path
  )
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=')
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
