import { createHash, randomBytes } from 'node:crypto'
import { decodeJwt } from 'jose'
import type { Context, Entity, OIDCContext } from 'oidc-provider'
import type { AccessTokenClaims } from './issued-tokens.ts'
import type { UserRegistration } from './registration.ts'
import type { ServerState } from './server-state.ts'

/** The token response that oidc-provider made: an opaque access token, and an ID token of its own shape. */
interface TokenResponse {
  readonly access_token: string
  readonly expires_in: number
  readonly scope?: string
  readonly refresh_token?: string
  readonly id_token?: string
}

/**
 * Turns oidc-provider's token response into Okta's: same decisions, but JWTs with Okta's claims, signed with the
 * current key. The library decides who gets a token; this decides what one looks like.
 */
export async function mintTokens(state: ServerState, ctx: Context, oidc: OIDCContext): Promise<object> {
  const response = ctx.body as TokenResponse
  const claims = accessTokenClaims(state, response, oidc)
  const accessToken = await state.keys.sign(claims)
  const grantId = storedToken(oidc).grantId
  state.tokens.add({ claims, storedId: response.access_token, ...(grantId !== undefined && { grantId }) })
  return {
    token_type: 'Bearer',
    expires_in: response.expires_in,
    access_token: accessToken,
    scope: response.scope,
    ...(response.refresh_token !== undefined && { refresh_token: response.refresh_token }),
    ...(response.id_token !== undefined &&
      (state.faults.refreshesIdToken || oidc.params['grant_type'] !== 'refresh_token') && {
        id_token: await state.keys.sign(idTokenClaims(state, response.id_token, accessToken, oidc)),
      }),
  }
}

/** The claims of a user that the scopes allow, as ID tokens and userinfo hold them. */
export function userClaims(user: UserRegistration, scopes: readonly string[]): Record<string, unknown> {
  return {
    ...(scopes.includes('profile') && { name: user.name, preferred_username: user.login }),
    ...(scopes.includes('email') && { email: user.login, email_verified: true }),
  }
}

function storedToken(oidc: OIDCContext): Entity {
  const stored = oidc.entities['AccessToken'] ?? oidc.entities['ClientCredentials']
  if (!stored) throw new Error('the token response came without a stored access token')
  return stored
}

/** What the sign-in left behind: the code, or the refresh token that descends from it. */
function signIn(oidc: OIDCContext): Entity | undefined {
  return oidc.entities['AuthorizationCode'] ?? oidc.entities['RefreshToken']
}

function userOf(state: ServerState, entity: Entity): UserRegistration | undefined {
  return entity.accountId === undefined ? undefined : state.registry.activeUser(entity.accountId)
}

function accessTokenClaims(
  state: ServerState,
  response: TokenResponse,
  oidc: OIDCContext,
): AccessTokenClaims {
  const user = userOf(state, storedToken(oidc))
  const authTime = signIn(oidc)?.authTime
  const iat = Math.floor(Date.now() / 1000)
  return {
    ver: 1,
    jti: `AT.${randomBytes(32).toString('base64url')}`,
    iss: state.faults.tokenIssuer ?? state.issuer,
    aud: state.audience,
    iat,
    exp: iat + response.expires_in,
    cid: oidc.client.clientId,
    ...(user && { uid: user.id }),
    scp: response.scope?.split(' ') ?? [],
    ...(authTime !== undefined && { auth_time: authTime }),
    sub: user?.login ?? oidc.client.clientId,
    ...groups(state, user),
  }
}

function idTokenClaims(
  state: ServerState,
  made: string,
  accessToken: string,
  oidc: OIDCContext,
): Record<string, unknown> {
  const { iat, exp, nonce } = decodeJwt<{ nonce?: string }>(made)
  const user = userOf(state, storedToken(oidc))
  const { authTime, sessionUid } = signIn(oidc) ?? {}
  return {
    sub: user?.id,
    ...(user && userClaims(user, (storedToken(oidc).scope ?? '').split(' '))),
    ver: 1,
    iss: state.faults.tokenIssuer ?? state.issuer,
    aud: oidc.client.clientId,
    iat,
    exp,
    jti: `ID.${randomBytes(32).toString('base64url')}`,
    amr: ['pwd'],
    idp: '00o1demoOrgHiJkLm5d7',
    ...(nonce !== undefined && { nonce }),
    ...(authTime !== undefined && { auth_time: authTime }),
    at_hash: halfHash(accessToken),
    ...(state.sessionIds && sessionUid !== undefined && { sid: sessionUid }),
    ...groups(state, user),
  }
}

function groups(state: ServerState, user: UserRegistration | undefined): Record<string, unknown> {
  return state.groupsClaim !== undefined && user ? { [state.groupsClaim]: user.groups } : {}
}

/** OpenID Connect Core §3.1.3.6, for RS256: the left half of the SHA-256. */
function halfHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
}
