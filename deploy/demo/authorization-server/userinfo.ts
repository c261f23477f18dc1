import type { Exchange, Reply } from './exchange.ts'
import { findActiveAccessToken } from './introspect.ts'
import { userClaims } from './mint-tokens.ts'
import type { RunningState } from './server-state.ts'

/** Userinfo (OpenID Connect Core §5.3): what the access token's scopes allow of its user. `sub` is the user id. */
export async function userinfo(state: RunningState, { request }: Exchange): Promise<Reply> {
  const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const payload = token === undefined ? undefined : await state.keys.verify(token)
  const issued = payload && (await findActiveAccessToken(state, String(payload['jti'])))
  if (!issued) return refuse(401, 'invalid_token', 'The token is missing, expired, revoked or malformed.')
  const { scp, uid } = issued.claims
  const user = uid === undefined ? undefined : state.registry.activeUser(uid)
  if (!user || !scp.includes('openid')) {
    return refuse(403, 'insufficient_scope', 'The access token must provide access to the openid scope.')
  }
  const groups = state.groupsClaim === undefined ? {} : { [state.groupsClaim]: user.groups }
  return { status: 200, body: { sub: user.id, ...userClaims(user, scp), ...groups } }
}

function refuse(status: number, error: string, description: string): Reply {
  const challenge = `Bearer error="${error}", error_description="${description}"`
  return { status, headers: { 'WWW-Authenticate': challenge } }
}
