import type { TokenSet } from '../authorization-server/authorization-server-client.ts'
import { expiryOf } from '../refresh/refreshed-session.ts'
import type { Session } from '../session/session.ts'
import { claimsOf } from '../session/session-payload.ts'

/**
 * The session that a token endpoint's answer begins.
 *
 * @param id Random.
 * @param requestedScopes What the login asked for, and was granted unless the answer says otherwise (RFC 6749 §5.1).
 */
export function newSession(
  id: string,
  tokens: TokenSet,
  nowSeconds: number,
  requestedScopes: readonly string[],
): Session {
  const { scope = requestedScopes.join(' ') } = tokens
  const accessTokenClaims = claimsOf(tokens.accessToken)
  const expiry = expiryOf(tokens, accessTokenClaims['exp'], nowSeconds)
  return {
    id,
    accessToken: tokens.accessToken,
    accessTokenClaims,
    ...(tokens.idToken !== undefined && { idToken: tokens.idToken }),
    idTokenClaims: tokens.idToken === undefined ? {} : claimsOf(tokens.idToken),
    ...(tokens.refreshToken !== undefined && { refreshToken: tokens.refreshToken }),
    ...(scope !== '' && { scope }),
    ...(expiry !== undefined && { accessTokenExpiresAtSeconds: expiry }),
    tokensIssuedAtSeconds: nowSeconds,
    createdAtSeconds: nowSeconds,
    renewedAtSeconds: nowSeconds,
    lastSeenAtSeconds: nowSeconds,
  }
}
