import type { Policy } from '../../table/policy.ts'
import type { RequestFacts } from '../request-facts.ts'
import { sharesCookieDomain } from './redirect-uri.ts'

/** A longer one would not fit into the authorization request's URL, which carries it inside `state`. */
export const MAXIMUM_RETURN_TARGET = 4096

const BASE = 'https://origin.invalid'
const MAXIMUM_DECODINGS = 2

/**
 * A request target that a browser can be sent back to without leaving the origin, unchanged byte for byte; or
 * `undefined`. Refused are what a browser, or anyone who decodes once or twice more, could read as another origin
 * (`//evil`, `/\evil`, `/%2fevil`, `/%09/evil`), and raw characters that do not belong into a URL.
 */
export function returnTarget(target: string): string | undefined {
  if (!/^\/[\x21-\x7e]*$/.test(target) || target.includes('#')) return undefined
  const queryAt = target.indexOf('?')
  let path = queryAt === -1 ? target : target.slice(0, queryAt)
  if (path.includes('\\')) return undefined
  for (let decodings = 0; decodings <= MAXIMUM_DECODINGS; decodings += 1) {
    if (namesAuthority(path)) return undefined
    path = decode(path)
  }
  const url = URL.parse(target, BASE)
  return url?.origin === BASE && !url.pathname.startsWith('//') ? target : undefined
}

/**
 * Where the browser goes after a login that began at `origin`: the target alone on the same host, which keeps the
 * scheme that the browser really uses; an absolute URL where a shared redirect URI brought it to another host of the
 * cookie domain. `undefined`: the host is none of the policy's.
 */
export function returnLocation(
  login: { readonly origin: string; readonly target: string },
  policy: Policy,
  facts: RequestFacts,
): string | undefined {
  const target = returnTarget(login.target)
  const origin = URL.parse(login.origin)
  if (target === undefined || origin === null) return undefined
  if (sameAuthority(origin, facts)) return target
  if (!sharesCookieDomain(policy, facts.host, origin.hostname)) return undefined
  return `${origin.origin}${target}`
}

/**
 * A target on the request's own origin, given as a path or as a URL of that origin, with its fragment dropped; or
 * `undefined`. As `returnTarget` otherwise.
 */
export function sameOriginTarget(given: string, facts: RequestFacts): string | undefined {
  const [text = ''] = given.split('#', 1)
  const absolute = /^(https?:\/\/[A-Za-z0-9.:[\]_-]+)([/?].*)?$/.exec(text)
  if (absolute === null) return returnTarget(text)
  if (URL.parse(absolute[1] ?? '')?.origin !== URL.parse(originOf(facts))?.origin) return undefined
  const rest = absolute[2] ?? '/'
  return returnTarget(rest.startsWith('/') ? rest : `/${rest}`)
}

/** Scheme and authority of a request. */
export function originOf(facts: RequestFacts): string {
  return `${facts.scheme}://${facts.authority}`
}

function sameAuthority(origin: URL, facts: RequestFacts): boolean {
  return origin.host === URL.parse(`${origin.protocol}//${facts.authority}`)?.host
}

/** Browsers drop control characters and take a backslash for a slash. */
function namesAuthority(path: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /^\/[/\\]/.test(path.replace(/[\x00-\x20\x7f]/g, ''))
}

/** Percent-decoding byte for byte: what is not UTF-8 is no reason to refuse a target. */
function decode(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
