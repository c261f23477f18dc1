import { createHash } from 'node:crypto'
import type { ServerMetadata } from '../auth/authorization-server/authorization-server-client.ts'
import type { Policy } from '../table/policy.ts'
import type { Ask, Asked } from './ask.ts'

/** What an authorization endpoint made of a request that may show no page (`prompt=none`). */
export type AuthorizationAnswer =
  /** It came back to the redirect URI: that one is registered. `error` is what it said there. */
  | { readonly kind: 'returned'; readonly error: string }
  /** It showed a page in place of coming back. `text` is of that page, lower case. */
  | { readonly kind: 'page'; readonly status: number; readonly text: string }
  /** It sent the browser elsewhere, to a sign-in page most likely. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'unavailable'; readonly reason: string }

const STATE = 'ostiary-doctor'
const CODE_VERIFIER = 'made-up-by-ostiary-doctor-to-look-at-the-redirect-uri'

/**
 * Sends the request that a login would, with `prompt=none` and without any cookie (OpenID Connect Core §3.1.2.1): the
 * server must answer with an error at the redirect URI, and may not send anybody to one that is not registered
 * (RFC 6749 §3.1.2.4).
 */
export async function askForLogin(
  policy: Policy,
  metadata: ServerMetadata,
  redirectUri: string,
  ask: Ask,
): Promise<AuthorizationAnswer> {
  const url = URL.parse(metadata.authorizationEndpoint ?? '')
  if (url === null) return { kind: 'unavailable', reason: 'the server names no authorization endpoint' }
  writeParameters(url.searchParams, policy, redirectUri)
  return judge(await ask(url.href, 'text/html'), url, redirectUri)
}

function writeParameters(parameters: URLSearchParams, policy: Policy, redirectUri: string): void {
  parameters.set('response_type', 'code')
  parameters.set('client_id', policy.client?.id ?? '')
  parameters.set('redirect_uri', redirectUri)
  if (policy.scopes.length > 0) parameters.set('scope', policy.scopes.join(' '))
  for (const audience of policy.audience) parameters.append('audience', audience)
  parameters.set('prompt', 'none')
  parameters.set('state', STATE)
  parameters.set('nonce', STATE)
  if (policy.authorizationCode.insecureSkipProofKeyForCodeExchange) return
  parameters.set('code_challenge', createHash('sha256').update(CODE_VERIFIER).digest('base64url'))
  parameters.set('code_challenge_method', 'S256')
}

function judge(asked: Asked, url: URL, redirectUri: string): AuthorizationAnswer {
  if (!asked.ok) {
    return { kind: 'unavailable', reason: `the authorization endpoint cannot be reached: ${asked.code}` }
  }
  const { location } = asked.headers
  if (asked.status >= 300 && asked.status < 400 && typeof location === 'string') {
    return judgeRedirect(URL.parse(location, url), redirectUri)
  }
  if (asked.status === 429 || asked.status >= 500) {
    const reason = `the authorization endpoint answered with status ${asked.status}`
    return { kind: 'unavailable', reason }
  }
  return { kind: 'page', status: asked.status, text: asked.body.toLowerCase() }
}

function judgeRedirect(location: URL | null, redirectUri: string): AuthorizationAnswer {
  const registered = new URL(redirectUri)
  const isBack = location?.origin === registered.origin && location.pathname === registered.pathname
  if (!isBack) return { kind: 'elsewhere' }
  const error = location.searchParams.get('error') ?? ''
  return { kind: 'returned', error: /^[a-z_]{1,64}$/.test(error) ? error : 'no_error' }
}
