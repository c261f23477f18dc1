import type { Policy } from '../table/policy.ts'
import type { Claims, HeaderList } from './decision.ts'
import type { Credential } from './judge.ts'
import { isTokenText } from './resource-server/jwt.ts'

/**
 * The headers that tell upstreams more of a credential: the ID token of a session as it is, and the answers of the
 * introspection and userinfo endpoints as JSON in base64, which no value of theirs can break out of. What a credential
 * does not have gives no header.
 */
export function credentialHeaders(policy: Policy, credential: Credential): HeaderList {
  const { idTokenHeader, introspectionHeader, userInfoHeader } = policy
  const { idToken, introspection, userInfo } = credential
  const headers: [string, string][] = []
  if (idTokenHeader !== undefined && idToken !== undefined && isTokenText(idToken)) {
    headers.push([idTokenHeader, idToken])
  }
  if (introspectionHeader !== undefined && introspection !== undefined) {
    headers.push([introspectionHeader, encoded(introspection)])
  }
  if (userInfoHeader !== undefined && userInfo !== undefined)
    headers.push([userInfoHeader, encoded(userInfo)])
  return headers
}

/** The header that carries the access token; none where its text could not stand in one. */
export function tokenHeader({ accessTokenHeader }: Policy, token: string): HeaderList {
  if (accessTokenHeader === undefined || !isTokenText(token)) return []
  return [[accessTokenHeader.name, accessTokenHeader.bearer ? `Bearer ${token}` : token]]
}

function encoded(claims: Claims): string {
  return Buffer.from(JSON.stringify(claims)).toString('base64')
}
