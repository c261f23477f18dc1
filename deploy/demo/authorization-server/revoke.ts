import { authenticateClient } from './client-authentication.ts'
import { oauthError, type Exchange, type Reply } from './exchange.ts'
import type { RunningState } from './server-state.ts'

const DONE: Reply = { status: 200 }

/**
 * Token revocation (RFC 7009). Always 200 once the client is known, also for tokens that do not exist or belong to
 * another client, which stay as they are. A revoked refresh token takes its access tokens along, not the reverse.
 */
export async function revoke(state: RunningState, { request, form }: Exchange): Promise<Reply> {
  const authentication = authenticateClient(state.registry, request, form)
  if (!authentication.ok) return authentication.reply
  const token = form.get('token')
  if (!token) return oauthError(400, 'invalid_request', "The token request must specify a 'token'.")
  const { clientId } = authentication.client
  const payload = await state.keys.verify(token)
  const jti = String(payload?.['jti'])
  if (state.tokens.find(jti)?.claims.cid === clientId) state.tokens.revoke(jti)
  const refreshToken = payload ? undefined : await state.provider.RefreshToken.find(token)
  if (refreshToken?.clientId === clientId && refreshToken.grantId !== undefined) {
    state.storage.forgetGrant(refreshToken.grantId)
  }
  return DONE
}
