import type { TokenSet } from '../authorization-server/authorization-server-client.ts'
import { claimsOf } from '../session/session-payload.ts'
import type { Session } from '../session/session.ts'

/**
 * The session with the tokens of a refresh. What the answer leaves out stays: the ID token and with it the identity
 * (OpenID Connect Core §12.2), the refresh token (RFC 6749 §6) and the scope. The timeouts run on.
 */
export function refreshedSession(session: Session, tokens: TokenSet, nowSeconds: number): Session {
  const { accessTokenExpiresAtSeconds: _, ...kept } = session
  const accessTokenClaims = claimsOf(tokens.accessToken)
  const issued = tokens.receivedAtSeconds ?? nowSeconds
  const expiry = expiryOf(tokens, accessTokenClaims['exp'], issued)
  return {
    ...kept,
    accessToken: tokens.accessToken,
    accessTokenClaims,
    ...(tokens.idToken !== undefined && {
      idToken: tokens.idToken,
      idTokenClaims: claimsOf(tokens.idToken),
    }),
    ...(tokens.refreshToken !== undefined && { refreshToken: tokens.refreshToken }),
    ...(tokens.scope !== undefined && { scope: tokens.scope }),
    ...(expiry !== undefined && { accessTokenExpiresAtSeconds: expiry }),
    tokensIssuedAtSeconds: issued,
    lastSeenAtSeconds: nowSeconds,
  }
}

/** `expires_in` before `exp`: it needs no agreement between two clocks. `undefined`: the token never expires. */
export function expiryOf(tokens: TokenSet, exp: unknown, nowSeconds: number): number | undefined {
  if (tokens.expiresInSeconds !== undefined) return nowSeconds + Math.floor(tokens.expiresInSeconds)
  return typeof exp === 'number' ? exp : undefined
}
