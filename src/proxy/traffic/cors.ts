import type { HeaderList } from '../../auth/decision.ts'
import type { CorsPolicy } from '../../table/route-traffic.ts'

const VARY: readonly [string, string] = ['Vary', 'Origin']
const NO_HEADERS: HeaderList = []

/** What a route tells browsers about scripts of other origins (WHATWG Fetch §3.2). */
export class CorsRules {
  readonly #anybody: boolean
  readonly #origins: ReadonlySet<string>
  readonly #wildcards: readonly (readonly [start: string, end: string])[]
  readonly #response: HeaderList
  readonly #preflight: HeaderList

  constructor(policy: CorsPolicy) {
    const { allowOrigins, allowCredentials, allowMethods, allowHeaders, exposeHeaders } = policy
    this.#anybody = allowOrigins.includes('*') && !allowCredentials
    this.#origins = new Set(allowOrigins)
    this.#wildcards = allowOrigins
      .filter((origin) => origin.includes('://*.'))
      .map((origin) => {
        const star = origin.indexOf('*')
        return [origin.slice(0, star), origin.slice(star + 1)] as const
      })
    this.#response = [
      ...(allowCredentials ? [['Access-Control-Allow-Credentials', 'true'] as const] : []),
      ...(exposeHeaders.length > 0
        ? [['Access-Control-Expose-Headers', exposeHeaders.join(', ')] as const]
        : []),
    ]
    this.#preflight = [
      ['Access-Control-Allow-Methods', allowMethods.join(', ')],
      ['Access-Control-Allow-Headers', allowHeaders.join(', ')],
      ['Access-Control-Max-Age', String(policy.maxAgeSeconds)],
    ]
  }

  /** @param origin The Origin field; several of them are no origin. */
  allows(origin: string): boolean {
    if (this.#anybody || (this.#origins.has(origin) && origin !== '*')) return true
    return this.#wildcards.some(([start, end]) => isOneLabel(origin, start, end))
  }

  /** For every response, whoever made it. The origin is not repeated unless it is allowed. */
  responseHeaders(origin: string | undefined): HeaderList {
    if (this.#anybody) {
      return origin === undefined ? NO_HEADERS : [['Access-Control-Allow-Origin', '*'], ...this.#response]
    }
    // Said to everybody: what a cache keeps for one origin is not for another.
    if (origin === undefined || !this.allows(origin)) return [VARY]
    return [['Access-Control-Allow-Origin', origin], ...this.#response, VARY]
  }

  /** What the answer to a preflight of an allowed origin says beside `responseHeaders`. */
  get preflightHeaders(): HeaderList {
    return this.#preflight
  }
}

/** `https://` and `.example.com` take `https://a.example.com`, not `https://a.b.example.com`. */
function isOneLabel(origin: string, start: string, end: string): boolean {
  if (!origin.startsWith(start) || !origin.endsWith(end)) return false
  const label = origin.slice(start.length, -end.length)
  return /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(label)
}
