import type { Policy } from '../../table/policy.ts'

/** Servers in front of authorization servers take request lines of about 8 KiB, some of 4. */
const MAXIMUM_URL_LENGTH = 4096

/** What a logout tells the authorization server. */
export interface EndSession {
  readonly endpoint: string
  /** Absent: there was no session, or it had none. */
  readonly idToken: string | undefined
  /** Registered at the authorization server, which compares it as a string. */
  readonly postLogoutRedirectUri: string | undefined
  readonly state: string
}

/**
 * The URL that ends the session at the authorization server (OpenID Connect RP-Initiated Logout §2). An ID token that
 * would make it too long stays out: the client id tells the server enough to ask the person.
 */
export function endSessionUrl(policy: Policy, logout: EndSession): string | undefined {
  const url = URL.parse(logout.endpoint)
  if (url === null) return undefined
  if (policy.client !== undefined) url.searchParams.set('client_id', policy.client.id)
  if (logout.postLogoutRedirectUri !== undefined) {
    url.searchParams.set('post_logout_redirect_uri', logout.postLogoutRedirectUri)
    url.searchParams.set('state', logout.state)
  }
  if (logout.idToken === undefined) return url.href
  const short = url.href
  url.searchParams.set('id_token_hint', logout.idToken)
  return url.href.length > MAXIMUM_URL_LENGTH ? short : url.href
}
