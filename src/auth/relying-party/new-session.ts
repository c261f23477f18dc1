import type { TokenSet } from '../authorization-server/authorization-server-client.ts'
import { expiryOf } from '../refresh/refreshed-session.ts'
import type { Session } from '../session/session.ts'
import { claimsOf } from '../session/session-payload.ts'

/**
 * The session that a token endpoint's answer begins.
 *
 * @param id Random.
 */
export function newSession(id: string, tokens: TokenSet, nowSeconds: number): Session {
  const accessTokenClaims = claimsOf(tokens.accessToken)
  const expiry = expiryOf(tokens, accessTokenClaims['exp'], nowSeconds)
  return {
    id,
    accessToken: tokens.accessToken,
    accessTokenClaims,
    ...(tokens.idToken !== undefined && { idToken: tokens.idToken }),
    idTokenClaims: tokens.idToken === undefined ? {} : claimsOf(tokens.idToken),
    ...(tokens.refreshToken !== undefined && { refreshToken: tokens.refreshToken }),
    ...(tokens.scope !== undefined && { scope: tokens.scope }),
    ...(expiry !== undefined && { accessTokenExpiresAtSeconds: expiry }),
    tokensIssuedAtSeconds: nowSeconds,
    createdAtSeconds: nowSeconds,
    renewedAtSeconds: nowSeconds,
    lastSeenAtSeconds: nowSeconds,
  }
}
