import { header, type RequestFacts } from './request-facts.ts'
import type { RoutePlan } from './route-plan.ts'

/** Where a token was found. */
export type TokenPlace = 'header' | 'query' | 'body' | 'cookie'

/** What is taken out of the request where the credential that was used is hidden from the upstream. */
export interface CredentialTrace {
  readonly headers: readonly string[]
  readonly query: readonly string[]
  readonly form: readonly string[]
  readonly cookies: readonly string[]
}

export const NO_TRACE: CredentialTrace = { headers: [], query: [], form: [], cookies: [] }

const IN_AUTHORIZATION: CredentialTrace = { ...NO_TRACE, headers: ['authorization'] }

/** A token in the request, and every place that it stands in. */
export interface FoundToken {
  readonly token: string
  readonly places: ReadonlySet<TokenPlace>
  readonly trace: CredentialTrace
}

const STAND_INS = ['access-token', 'x-access-token']

/** Where tokens are looked for unless a policy names one header. */
export const STANDARD_HEADERS: readonly string[] = ['authorization', ...STAND_INS]

const HEADER_ONLY: ReadonlySet<TokenPlace> = new Set(['header'])
const BEARER = /^bearer(?: +|$)/i

/**
 * Looks for an access token in the places that the route's policies allow (RFC 6750 §2, and Kong's `Access-Token` and
 * `X-Access-Token` headers).
 *
 * @returns `conflict` where two places hold different tokens (RFC 6750 §2: clients must use one).
 */
export function findToken(
  plan: RoutePlan,
  facts: RequestFacts,
  form: URLSearchParams | undefined,
): FoundToken | 'conflict' | undefined {
  if (plan.tokens.length === 0) return undefined
  if (plan.tokensInHeadersOnly && isPlain(facts)) return inAuthorization(facts.headers['authorization'])
  const search = new TokenSearch()
  for (const policy of plan.tokens) {
    for (const place of policy.bearer.places) {
      if (place === 'header') search.headers(facts, policy.bearer.headerName)
      else if (place === 'query') search.query(facts)
      else if (place === 'body') search.form(form)
      else if (policy.bearer.cookieName !== undefined) search.cookie(facts, policy.bearer.cookieName)
    }
  }
  return search.result()
}

/** Nearly every request: one Authorization header and none of its stand-ins. */
function isPlain({ headers }: RequestFacts): boolean {
  return (
    typeof headers['authorization'] === 'string' &&
    headers['access-token'] === undefined &&
    headers['x-access-token'] === undefined
  )
}

function inAuthorization(value: unknown): FoundToken | undefined {
  const scheme = typeof value === 'string' ? BEARER.exec(value) : null
  if (scheme === null) return undefined
  return {
    token: scheme.input.slice(scheme[0].length).trimEnd(),
    places: HEADER_ONLY,
    trace: IN_AUTHORIZATION,
  }
}

class TokenSearch {
  #conflict = false
  #token: string | undefined
  readonly #places = new Set<TokenPlace>()
  readonly #headers = new Set<string>()
  readonly #cookies = new Set<string>()

  /** @param only The one header to look in; absent: the usual ones. */
  headers(facts: RequestFacts, only: string | undefined): void {
    if (only !== undefined && only !== 'authorization') this.#namedHeader(facts, only)
    else this.#authorization(facts)
    if (only === undefined) this.#standIns(facts)
  }

  #namedHeader(facts: RequestFacts, name: string): void {
    const value = facts.headers[name]
    if (typeof value === 'string') this.#header(name, value.replace(BEARER, '').trimEnd())
    else if (value !== undefined) this.#conflict = true
  }

  #authorization(facts: RequestFacts): void {
    const authorization = facts.headers['authorization']
    const bearer = inAuthorization(authorization)
    if (bearer !== undefined) this.#header('authorization', bearer.token)
    if (Array.isArray(authorization)) this.#conflict = true
  }

  #standIns(facts: RequestFacts): void {
    for (const name of STAND_INS) {
      const value = facts.headers[name]
      if (typeof value === 'string') this.#header(name, value)
      else if (value !== undefined) this.#conflict = true
    }
  }

  query(facts: RequestFacts): void {
    if (facts.query === '' || this.#places.has('query')) return
    for (const token of new URLSearchParams(facts.query).getAll('access_token')) this.#add('query', token)
  }

  form(form: URLSearchParams | undefined): void {
    for (const token of form?.getAll('access_token') ?? []) this.#add('body', token)
  }

  cookie(facts: RequestFacts, name: string): void {
    if (this.#cookies.has(name)) return
    for (const token of cookieValues(header(facts, 'cookie') ?? '', name)) {
      this.#cookies.add(name)
      this.#add('cookie', token)
    }
  }

  result(): FoundToken | 'conflict' | undefined {
    if (this.#conflict) return 'conflict'
    if (this.#token === undefined) return undefined
    const trace: CredentialTrace = {
      headers: [...this.#headers],
      query: this.#places.has('query') ? ['access_token'] : [],
      form: this.#places.has('body') ? ['access_token'] : [],
      cookies: [...this.#cookies],
    }
    return { token: this.#token, places: this.#places, trace }
  }

  #header(name: string, token: string): void {
    this.#headers.add(name)
    this.#add('header', token)
  }

  #add(place: TokenPlace, token: string): void {
    this.#places.add(place)
    if (this.#token !== undefined && this.#token !== token) this.#conflict = true
    this.#token = token
  }
}

/** Every value of a cookie (RFC 6265 §5.4), unquoted: twice the same name is a conflict, not a choice. */
function cookieValues(cookies: string, name: string): string[] {
  return cookies
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1).replace(/^"(.*)"$/, '$1'))
}
