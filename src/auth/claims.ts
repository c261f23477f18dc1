import type { Claims } from './decision.ts'

/** Where a claim is looked up, best source first: access token, then ID token. */
export type ClaimSources = readonly Claims[]

/** The value at a path of nested objects; `undefined` where a step is missing, `null` or not an object. */
export function claimAt(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    // Only own members: a claim path such as `constructor` must find nothing.
    if (!Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return value ?? undefined
}

/** The first source's value at that path. */
export function firstClaim(sources: ClaimSources, path: readonly string[]): unknown {
  for (const claims of sources) {
    const value = claimAt(claims, path)
    if (value !== undefined) return value
  }
  return undefined
}

/**
 * Whether the authorization server left a list out because it is too long, and named another place for it (OpenID
 * Connect Core §5.6.2, as Entra ID does above 200 groups): no groups and unknown groups are told apart.
 */
export function isOverage(sources: ClaimSources, path: readonly string[]): boolean {
  return sources.some((claims) => claimAt(claims, ['_claim_names', path[0] ?? '']) !== undefined)
}

/** A claim that names somebody: a string that is not empty, or a number as its digits. */
export function nameClaim(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

/**
 * A NumericDate claim (RFC 7519 §2). Some servers write it as a string of digits.
 *
 * @returns Seconds since the epoch; `undefined` where the claim is absent, NaN where it is no number.
 */
export function numericDate(claims: Claims, name: string): number | undefined {
  const value = claimAt(claims, [name])
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isFinite(value)) return value
  return typeof value === 'string' && /^\d{1,15}(\.\d{1,9})?$/.test(value) ? Number(value) : Number.NaN
}

/**
 * The values that a requirement is compared with. A string holds words parted by spaces and is also one value as a
 * whole (`Kong Admins`); items of an array are taken whole, so that an item `a b` does not grant `a`.
 */
export function claimValues(value: unknown): ReadonlySet<string> {
  if (typeof value === 'string') return new Set([value, ...value.split(' ').filter((word) => word !== '')])
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  return new Set(
    items.filter((item) => ['string', 'number', 'boolean'].includes(typeof item)).map((item) => String(item)),
  )
}

/** About how many characters of memory claims take that did not come in the token that they are kept under. */
export function sizeOfClaims(claims: Claims): number {
  return JSON.stringify(claims).length * 3
}
