import { firstClaim, nameClaim, type ClaimSources } from './claims.ts'

/** The name by which people know themselves; the subject is often an opaque id. */
export function displayName(sources: ClaimSources): string | undefined {
  const names = [['preferred_username'], ['email'], ['sub']].map((path) =>
    nameClaim(firstClaim(sources, path)),
  )
  return names.find((name) => name !== undefined)
}
