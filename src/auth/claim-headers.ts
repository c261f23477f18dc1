import type { ClaimHeader } from '../table/policy.ts'
import { firstClaim, type ClaimSources } from './claims.ts'
import type { HeaderList } from './decision.ts'
import { claimText } from './header-value.ts'

/**
 * The headers that claims are copied to. A missing claim gives no header; of two claims for one header the last that
 * is present wins, as in Kong.
 */
export function claimHeaders(mapping: readonly ClaimHeader[], sources: ClaimSources): HeaderList {
  const headers = new Map<string, string>()
  for (const { header, path } of mapping) {
    const text = claimText(firstClaim(sources, path))
    if (text !== undefined) headers.set(header, text)
  }
  return [...headers]
}
