import { normalPath } from '../../table/normal-path.ts'
import type { Policy } from '../../table/policy.ts'
import type { RequestFacts } from '../request-facts.ts'

/** The reserved path of callbacks on every host with a login policy. */
export const CALLBACK_PATH = '/oauth2/callback'

/** The redirect URI of a login and what its cookies need to know of it. */
export interface RedirectUri {
  /** As sent to the authorization server, which compares it as a string. */
  readonly uri: string
  readonly host: string
  /** As requests are matched; `cookiePath` as the browser has it. */
  readonly path: string
  readonly cookiePath: string
  /** Whether the callback comes over https, so that its cookies are Secure. */
  readonly secure: boolean
}

/**
 * Where the authorization server sends the browser back to: the policy's `redirectUri` where it serves this host
 * (its own, and hosts that share its cookie domain), else the request's own origin and the reserved path.
 */
export function redirectUriFor(policy: Policy, facts: RequestFacts): RedirectUri {
  const configured = configuredRedirectUri(policy)
  if (configured !== undefined) {
    const own = configured.host === facts.host
    if (own || sharesCookieDomain(policy, configured.host, facts.host)) return configured
  }
  const defaultPort = facts.scheme === 'https' ? ':443' : ':80'
  const authority = facts.authority.endsWith(defaultPort)
    ? facts.authority.slice(0, -defaultPort.length)
    : facts.authority
  return {
    uri: `${facts.scheme}://${authority}${CALLBACK_PATH}`,
    host: facts.host,
    path: CALLBACK_PATH,
    cookiePath: CALLBACK_PATH,
    secure: facts.scheme === 'https',
  }
}

/** Whether a request has the host and path of a redirect URI. */
export function isAt(redirectUri: RedirectUri, facts: RequestFacts): boolean {
  return redirectUri.host === facts.host && redirectUri.path === facts.path
}

/** Whether both hosts get the policy's cookies (RFC 6265 §5.1.3). */
export function sharesCookieDomain(policy: Policy, one: string, other: string): boolean {
  const domain = policy.session.cookieDomain?.replace(/^\./, '').toLowerCase()
  if (domain === undefined || domain === '') return false
  return [one, other].every((host) => host === domain || host.endsWith(`.${domain}`))
}

function configuredRedirectUri(policy: Policy): RedirectUri | undefined {
  const uri = policy.authorizationCode.redirectUri
  const url = uri === undefined ? null : URL.parse(uri)
  if (uri === undefined || url === null) return undefined
  return {
    uri,
    host: url.hostname,
    path: normalPath(url.pathname),
    cookiePath: cookiePathOf(url.pathname),
    secure: url.protocol === 'https:',
  }
}

/** A semicolon would end the attribute; the folder above covers the path too. */
function cookiePathOf(path: string): string {
  const end = path.indexOf(';')
  return end === -1 ? path : path.slice(0, path.lastIndexOf('/', end) + 1)
}
