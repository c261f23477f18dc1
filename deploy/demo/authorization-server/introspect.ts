import type { Entity } from 'oidc-provider'
import { authenticateClient } from './client-authentication.ts'
import { oauthError, type Exchange, type Reply } from './exchange.ts'
import type { AccessTokenClaims, IssuedToken } from './issued-tokens.ts'
import type { ClientRegistration } from './registration.ts'
import type { RunningState } from './server-state.ts'

const INACTIVE: Reply = { status: 200, body: { active: false } }

/**
 * Token introspection (RFC 7662) with Okta's members. Any active client of the server may ask about an access or
 * ID token, about a refresh token only the client that holds it. The hint is not needed and not believed.
 */
export async function introspect(state: RunningState, { request, form }: Exchange): Promise<Reply> {
  const authentication = authenticateClient(state.registry, request, form)
  if (!authentication.ok) return authentication.reply
  const token = form.get('token')
  if (!token) return oauthError(400, 'invalid_request', "The token request must specify a 'token'.")
  const payload = await state.keys.verify(token)
  const body = payload
    ? await introspectJwt(state, payload)
    : await introspectRefreshToken(state, token, authentication.client)
  return body ? { status: 200, body: { active: true, ...body } } : INACTIVE
}

/** Whether the server would still stand by an access token of its own. */
export async function findActiveAccessToken(
  state: RunningState,
  jti: string,
): Promise<IssuedToken | undefined> {
  const issued = state.tokens.find(jti)
  if (!issued || issued.claims.exp <= Date.now() / 1000) return undefined
  const { cid, uid } = issued.claims
  if (!state.registry.isActiveClient(cid)) return undefined
  if (uid !== undefined && !state.registry.activeUser(uid)) return undefined
  const model = uid === undefined ? state.provider.ClientCredentials : state.provider.AccessToken
  return (await model.find(issued.storedId)) && issued
}

async function introspectJwt(
  state: RunningState,
  payload: Readonly<Record<string, unknown>>,
): Promise<object | undefined> {
  const jti = String(payload['jti'])
  if (jti.startsWith('ID.')) return introspectIdToken(state, payload)
  const issued = await findActiveAccessToken(state, jti)
  return issued && accessTokenMembers(issued.claims)
}

/** Okta renames `scp` and `cid`, adds `username`, and passes custom claims on. */
function accessTokenMembers({ ver: _, scp, cid, auth_time: __, ...claims }: AccessTokenClaims): object {
  return {
    ...claims,
    token_type: 'Bearer',
    scope: scp.join(' '),
    client_id: cid,
    ...(claims.uid !== undefined && { username: claims.sub }),
  }
}

/** An ID token is introspected too, and is active; but there is no scope and no token type. */
function introspectIdToken(
  state: RunningState,
  { aud, exp, iat, iss, jti, sub }: Readonly<Record<string, unknown>>,
): object | undefined {
  const user = state.registry.activeUser(String(sub))
  if (!user || !state.registry.isActiveClient(String(aud)) || Number(exp) <= Date.now() / 1000)
    return undefined
  return { aud, client_id: aud, exp, iat, iss, jti, sub, username: user.login }
}

async function introspectRefreshToken(
  state: RunningState,
  token: string,
  client: ClientRegistration,
): Promise<object | undefined> {
  const stored: (Entity & { consumed?: number }) | undefined = await state.provider.RefreshToken.find(token)
  if (stored?.clientId !== client.clientId || stored.consumed !== undefined) return undefined
  const user = state.registry.activeUser(stored.accountId ?? '')
  if (!user) return undefined
  return {
    aud: state.audience,
    client_id: stored.clientId,
    exp: stored.exp,
    iat: stored.iat,
    iss: state.issuer,
    scope: stored.scope,
    sub: user.login,
    uid: user.id,
    username: user.login,
  }
}
