import type { Policy } from '../../table/policy.ts'
import { claimAt, nameClaim, numericDate } from '../claims.ts'
import type { Claims } from '../decision.ts'
import { MAXIMUM_TOKEN_LENGTH, readToken, type UnverifiedJwt } from '../resource-server/jwt.ts'
import type { KeyRings } from '../resource-server/key-ring.ts'
import { namesIssuer } from '../resource-server/registered-claims.ts'
import { isSignedByOne, keyHint } from '../resource-server/verify-jwt.ts'

/** An older token has been used, or was held back: authorization servers send them at once. */
export const MAXIMUM_AGE_SECONDS = 300
const MAXIMUM_AHEAD_SECONDS = 60
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const TYPES = new Set(['logout+jwt', 'application/logout+jwt', 'jwt', 'application/jwt'])

/** A logout token that holds (OpenID Connect Back-Channel Logout §2.4), but for `jti`, which may have been used. */
export interface LogoutToken {
  readonly ok: true
  /** Of the policies those that it is about: they share issuer and client. */
  readonly policies: readonly Policy[]
  readonly jti: string
  /** With a `sid` it is about that login alone. */
  readonly subject: { readonly sid: string } | { readonly sub: string }
}

/** Why a logout token is refused, in words without anything of it. */
export interface BadLogoutToken {
  readonly ok: false
  readonly why: string
}

/**
 * Judges a logout token (§2.6): form, issuer, audience, times, event, the absence of a nonce, and then its signature
 * under a key of the issuer. Claims come first, so that nobody makes us fetch keys with what could not pass anyway.
 *
 * @param policies Those that take logout tokens.
 */
export async function judgeLogoutToken(
  token: string,
  policies: readonly Policy[],
  rings: KeyRings,
  nowSeconds: number,
): Promise<LogoutToken | BadLogoutToken> {
  const shape = token.length > MAXIMUM_TOKEN_LENGTH ? undefined : readToken(token)
  if (shape?.kind !== 'jwt') return bad('logout_token is no JWT')
  const { jwt } = shape
  const meant = policies.filter((policy) => isMeant(policy, jwt.claims))
  const [policy] = meant
  if (policy === undefined) return bad('iss and aud name no client of this host')
  const fault = headerFault(jwt) ?? timeFault(jwt.claims, policy, nowSeconds) ?? claimsFault(jwt.claims)
  if (fault !== undefined) return bad(fault)
  const { claims } = jwt
  const [jti, sid, sub] = ['jti', 'sid', 'sub'].map((name) => nameClaim(claimAt(claims, [name])))
  const subject = sid !== undefined ? { sid } : sub !== undefined ? { sub } : undefined
  if (jti === undefined || subject === undefined) return bad('jti is missing, or both of sid and sub')
  const signatureFault = await findSignatureFault(jwt, rings, policy)
  return signatureFault === undefined ? { ok: true, policies: meant, jti, subject } : bad(signatureFault)
}

function isMeant(policy: Policy, claims: Claims): boolean {
  const { client } = policy
  const audience = claimAt(claims, ['aud'])
  const named: readonly unknown[] = Array.isArray(audience) ? audience : [audience]
  return client !== undefined && named.includes(client.id) && namesIssuer(policy, claims)
}

/** §2.4: `typ` should be logout+jwt; who says something else means another kind of token. */
function headerFault({ header: { typ, crit } }: UnverifiedJwt): string | undefined {
  if (crit !== undefined) return 'crit names what is not understood'
  if (typ === undefined) return undefined
  return typeof typ === 'string' && TYPES.has(typ.toLowerCase())
    ? undefined
    : 'typ is of another kind of token'
}

/** Comparisons with NaN are false, so these are written to be false for it. */
function timeFault(claims: Claims, policy: Policy, nowSeconds: number): string | undefined {
  const { leewaySeconds } = policy.verification
  const issuedAt = numericDate(claims, 'iat')
  const expiry = numericDate(claims, 'exp') ?? Number.POSITIVE_INFINITY
  if (issuedAt === undefined) return 'iat is missing'
  if (!(issuedAt <= nowSeconds + leewaySeconds + MAXIMUM_AHEAD_SECONDS)) return 'iat is ahead'
  if (!(nowSeconds - issuedAt <= MAXIMUM_AGE_SECONDS + leewaySeconds)) return 'iat is long ago'
  return nowSeconds < expiry + leewaySeconds ? undefined : 'exp is past'
}

/** An ID token is signed by the same key for the same client: these two tell it from a logout token. */
function claimsFault(claims: Claims): string | undefined {
  const event = claimAt(claims, ['events', EVENT])
  if (typeof event !== 'object' || Array.isArray(event)) return 'events names no back-channel logout'
  return Object.hasOwn(claims, 'nonce') ? 'nonce is present' : undefined
}

async function findSignatureFault(
  jwt: UnverifiedJwt,
  rings: KeyRings,
  policy: Policy,
): Promise<string | undefined> {
  const hint = keyHint(jwt.header)
  if (hint === undefined) return 'alg is not taken'
  const found = await rings.get(policy.server).find(hint)
  if ('ok' in found) return 'the keys of the issuer cannot be had now'
  return (await isSignedByOne(jwt.token, found.keys)) ? undefined : 'the signature does not match'
}

function bad(why: string): BadLogoutToken {
  return { ok: false, why }
}
