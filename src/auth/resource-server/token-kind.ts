import { claimAt } from '../claims.ts'
import type { Claims } from '../decision.ts'

const JWT_TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt'])
/** Access tokens of Okta's org authorization server, which nobody but itself can verify. */
const INTROSPECTED_TYPES = new Set([...JWT_TYPES, 'application/okta-internal-at+jwt'])
/** Marks of ID tokens (OpenID Connect Core §2, §3.3.2.11), logout tokens and proof-of-possession tokens (RFC 7800). */
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'cnf']
/** Keycloak's and Cognito's own marks of ID, refresh and other tokens. */
const FOREIGN_KINDS = /^(id|refresh|offline|logout|action)/i
/** The same servers' marks of access tokens. */
const ACCESS_KINDS = /^(bearer|access)/i
/** RFC 7662 §2.2 `token_type` of what is no bearer token: bound to a key, or of another kind. */
const FOREIGN_TYPES = /^(dpop|pop|mac|refresh_token|id_token|n_a)$/i

/** Whether a JWT's header is one of an access token: a `typ` that is absent, general, or RFC 9068's; no `crit`. */
export function isAccessTokenHeader(header: Readonly<Record<string, unknown>>): boolean {
  return hasType(header, JWT_TYPES)
}

/** As `isAccessTokenHeader`, for a JWT that its authorization server is asked about. */
export function isIntrospectedHeader(header: Readonly<Record<string, unknown>>): boolean {
  return hasType(header, INTROSPECTED_TYPES)
}

/**
 * Whether claims can be those of a bearer access token. An ID token is signed by the same keys for the same issuer, and
 * every application that a person signs in to holds one; a key-bound token was stolen if it comes without its proof.
 */
export function areAccessTokenClaims(claims: Claims): boolean {
  const kinds = ['typ', 'token_use'].map((name) => claimAt(claims, [name])).filter(isText)
  if (kinds.some((kind) => FOREIGN_KINDS.test(kind))) return false
  // Keycloak before 24, or with its mapper for backwards compatibility, puts the nonce into access tokens too.
  const isMarked = kinds.some((kind) => ACCESS_KINDS.test(kind))
  const foreign = isMarked ? FOREIGN_CLAIMS.filter((name) => name !== 'nonce') : FOREIGN_CLAIMS
  if (foreign.some((name) => claimAt(claims, [name]) !== undefined)) return false
  const type = claimAt(claims, ['token_type'])
  return !isText(type) || !FOREIGN_TYPES.test(type)
}

function hasType({ typ, crit }: Readonly<Record<string, unknown>>, types: ReadonlySet<string>): boolean {
  // No extension is implemented, so whatever must be understood is not (RFC 7515 §4.1.11).
  if (crit !== undefined) return false
  return typ === undefined || (isText(typ) && types.has(typ.toLowerCase()))
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
