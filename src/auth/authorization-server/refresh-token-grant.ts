import { refreshTokenGrant as openidRefreshTokenGrant } from 'openid-client'
import { nowSeconds, type Clock } from '../../clock.ts'
import type { Claims } from '../decision.ts'
import type { Answer, RefreshTokenGrant, TokenSet } from './authorization-server-client.ts'
import { refusal } from './okta-error.ts'
import { requestTokens } from './request-tokens.ts'
import type { ServerConnection } from './server-connection.ts'
import { algorithmsOf, verifyIdToken } from './verify-id-token.ts'

/**
 * Asks for new tokens with a refresh token (RFC 6749 §6). No scope is sent: what was granted stays granted. An ID
 * token in the answer is verified and must be of the same user (OpenID Connect Core §12.2), else the answer is
 * `invalid_id_token`; an answer without one is whole, and so is one whose ID token nothing is there to verify with: it
 * is left out, as the old refresh token may be spent, and without the new one the session would be lost. The request is
 * sent again where the connection broke: a kept connection that the server closed is far more common than an answer
 * lost on its way, and for that servers that rotate refresh tokens have a grace period.
 */
export async function refreshTokenGrant(
  connection: ServerConnection,
  grant: RefreshTokenGrant,
  clock: Clock,
): Promise<Answer<TokenSet>> {
  const answer = await requestTokens(connection, grant.client, (configuration) =>
    openidRefreshTokenGrant(configuration, grant.refreshToken, tokenArguments(grant)),
  )
  if (!answer.ok) return answer
  const tokens = { ...answer.value, receivedAtSeconds: nowSeconds(clock) }
  return tokens.idToken === undefined
    ? { ok: true, value: tokens }
    : verified(connection, grant, clock, tokens)
}

function tokenArguments(grant: RefreshTokenGrant): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of grant.tokenArguments ?? []) form.append(name, value)
  return form
}

async function verified(
  connection: ServerConnection,
  grant: RefreshTokenGrant,
  clock: Clock,
  tokens: TokenSet,
): Promise<Answer<TokenSet>> {
  const discovered = await connection.discovered()
  if (!discovered.ok) return withoutIdToken(tokens)
  const claims = await verifyIdToken(tokens.idToken ?? '', {
    issuer: discovered.value.metadata.issuer,
    clientId: grant.client.id,
    ...algorithmsOf(discovered.value.metadata),
    leewaySeconds: grant.leewaySeconds,
    nowMs: clock.now(),
    keys: (keyId) => connection.keys(keyId),
  })
  if (!claims.ok) return claims.kind === 'unavailable' ? withoutIdToken(tokens) : claims
  const fault = strangerFault(claims.value, grant)
  return fault === undefined
    ? { ok: true, value: { ...tokens, idTokenClaims: claims.value } }
    : refusal('invalid_id_token', `ID token: ${fault}`, [])
}

function withoutIdToken({ idToken: _, ...tokens }: TokenSet): Answer<TokenSet> {
  return { ok: true, value: tokens }
}

/** A nonce need not be there again, but where it is it must be that of the login. */
function strangerFault(claims: Claims, { subject, nonce }: RefreshTokenGrant): string | undefined {
  if (subject !== undefined && claims['sub'] !== subject) return 'sub is another user'
  if (claims['nonce'] !== undefined && claims['nonce'] !== nonce) return 'nonce differs'
  return undefined
}
