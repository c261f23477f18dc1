import type { AuthorizationServer, Policy } from '../../table/policy.ts'
import type { AuthorizationServerClient } from '../authorization-server/authorization-server-client.ts'
import { claimAt, nameClaim, numericDate } from '../claims.ts'
import type { Claims } from '../decision.ts'
import type { KeyHint } from '../matching-keys.ts'
import { MAXIMUM_TOKEN_LENGTH, readToken, type UnverifiedJwt } from '../resource-server/jwt.ts'
import type { KeyRings } from '../resource-server/key-ring.ts'
import { isIssuer } from '../resource-server/registered-claims.ts'
import { keyHint, verifySignature } from '../resource-server/verify-jwt.ts'

/** An older token has been used, or was held back: authorization servers send them at once. */
export const MAXIMUM_AGE_SECONDS = 300
const MAXIMUM_AHEAD_SECONDS = 60
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const TYPES = new Set(['logout+jwt', 'application/logout+jwt', 'jwt', 'application/jwt'])

/** A logout token that holds (OpenID Connect Back-Channel Logout §2.4), but for `jti`, which may have been used. */
export interface LogoutToken {
  readonly ok: true
  /** Of the policies those that it is about: they share issuer and client, and trust the key that signed it. */
  readonly policies: readonly Policy[]
  readonly jti: string
  /** With a `sid` it is about that login alone. */
  readonly subject: { readonly sid: string } | { readonly sub: string }
}

/** How issuers are asked for their keys, and for what they sign with. */
export interface Issuers {
  readonly rings: KeyRings
  readonly client: AuthorizationServerClient
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
  issuers: Issuers,
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
  const signed = await findSigned(jwt, meant, issuers)
  return typeof signed === 'string' ? bad(signed) : { ok: true, policies: signed, jti, subject }
}

function isMeant(policy: Policy, claims: Claims): boolean {
  const { client } = policy
  const audience = claimAt(claims, ['aud'])
  const named: readonly unknown[] = Array.isArray(audience) ? audience : [audience]
  return (
    client !== undefined && named.includes(client.id) && isIssuer(policy.server, claimAt(claims, ['iss']))
  )
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
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    return 'events names no back-channel logout'
  return Object.hasOwn(claims, 'nonce') ? 'nonce is present' : undefined
}

/**
 * Those of the policies whose issuer signed the token, or why none did. Policies may name one issuer and client and
 * yet trust other keys: a key that one of them trusts ends no session of the others.
 */
async function findSigned(
  jwt: UnverifiedJwt,
  policies: readonly Policy[],
  issuers: Issuers,
): Promise<readonly Policy[] | string> {
  const hint = keyHint(jwt.header)
  if (hint === undefined) return 'alg is not taken'
  const faults = new Map<string, string | undefined>()
  for (const { server } of policies) {
    if (!faults.has(server.id)) faults.set(server.id, await findSignatureFault(jwt, hint, server, issuers))
  }
  const signed = policies.filter(({ server }) => faults.get(server.id) === undefined)
  return signed.length > 0 ? signed : [...faults.values()].join('; ')
}

/** §2.6: as the signature of an ID token, and so with an algorithm that the server signs those with. */
async function findSignatureFault(
  jwt: UnverifiedJwt,
  hint: KeyHint,
  server: AuthorizationServer,
  { rings, client }: Issuers,
): Promise<string | undefined> {
  const metadata = await client.metadata(server)
  const algorithms = metadata.ok ? metadata.value.idTokenAlgorithms : undefined
  if (algorithms?.includes(hint.alg) === false) return 'alg is none that the issuer signs ID tokens with'
  const signed = await verifySignature(jwt, hint, rings.get(server))
  if (signed.ok) return undefined
  return signed.kind === 'unavailable'
    ? 'the keys of the issuer cannot be had now'
    : 'the signature does not match'
}

function bad(why: string): BadLogoutToken {
  return { ok: false, why }
}
