import { claimAt } from '../claims.ts'
import type { Claims } from '../decision.ts'

const JWT_TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt'])
/** Marks of ID tokens (OpenID Connect Core §2, §3.3.2.11), logout tokens and proof-of-possession tokens (RFC 7800). */
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'cnf']
/** Keycloak's and Cognito's own marks of ID, refresh and other tokens. */
const FOREIGN_KINDS = /^(id|refresh|offline|logout|action)/i
/** RFC 7662 §2.2 `token_type` of what is no bearer token: bound to a key, or of another kind. */
const FOREIGN_TYPES = /^(dpop|pop|mac|refresh_token|id_token|n_a)$/i

/** Whether a JWT's header is one of an access token: a `typ` that is absent, general, or RFC 9068's; no `crit`. */
export function isAccessTokenHeader(header: Readonly<Record<string, unknown>>): boolean {
  const { typ, crit } = header
  // No extension is implemented, so whatever must be understood is not (RFC 7515 §4.1.11).
  if (crit !== undefined) return false
  return typ === undefined || (typeof typ === 'string' && JWT_TYPES.has(typ.toLowerCase()))
}

/**
 * Whether claims can be those of a bearer access token. An ID token is signed by the same keys for the same issuer, and
 * every application that a person signs in to holds one; a key-bound token was stolen if it comes without its proof.
 */
export function areAccessTokenClaims(claims: Claims): boolean {
  if (FOREIGN_CLAIMS.some((name) => claimAt(claims, [name]) !== undefined)) return false
  const type = claimAt(claims, ['token_type'])
  if (typeof type === 'string' && FOREIGN_TYPES.test(type)) return false
  return !['typ', 'token_use'].some((name) => {
    const kind = claimAt(claims, [name])
    return typeof kind === 'string' && FOREIGN_KINDS.test(kind)
  })
}
