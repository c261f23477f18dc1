import type { OIDCPluginSpec } from '../api/oidc-plugin.ts'
import type { Policy, Requirement } from '../table/policy.ts'
import type { PolicyProblems } from './policy-problem.ts'

/** A word, or a name in double quotes; then white space or the end. */
const WORD = /\s*(?:"([^"]+)"|([^\s"]+))(?=\s|$)/y

/**
 * Reads one item of a `…Required` list: words that must all be there. A name in double quotes is one word, spaces
 * included. `undefined`: quotes do not match, or there is no word.
 */
export function parseRequirement(item: string): string[] | undefined {
  const text = item.trimEnd()
  const words: string[] = []
  WORD.lastIndex = 0
  while (WORD.lastIndex < text.length) {
    const match = WORD.exec(text)
    if (match === null) return undefined
    words.push(match[1] ?? match[2] ?? '')
  }
  return words.length === 0 ? undefined : [...new Set(words)]
}

/** Compiles the four `…Required` lists with their claim paths. */
export function compileRequirements(spec: OIDCPluginSpec, problems: PolicyProblems): Policy['requirements'] {
  const scopes = compileOne(spec.scopesRequired, 'scopesRequired', spec.scopesClaim, problems)
  const audience = compileOne(spec.audienceRequired, 'audienceRequired', spec.audienceClaim, problems)
  const groups = compileOne(spec.groupsRequired, 'groupsRequired', spec.groupsClaim, problems)
  const roles = compileOne(spec.rolesRequired, 'rolesRequired', spec.rolesClaim, problems)
  return {
    ...(scopes && { scopes }),
    ...(audience && { audience }),
    ...(groups && { groups }),
    ...(roles && { roles }),
  }
}

/**
 * The `aud` values that a token may name: `audienceRequired`, else `audience`. Empty: `aud` is not checked, also where
 * `audienceRequired` speaks of another claim.
 */
export function acceptedAudiences(spec: OIDCPluginSpec, requirement: Requirement | undefined): string[] {
  if (requirement === undefined) return spec.audience ?? []
  const isAud = requirement.claim.length === 1 && requirement.claim[0] === 'aud'
  return isAud ? [...new Set(requirement.anyOf.flat())] : []
}

function compileOne(
  items: readonly string[] | undefined,
  field: string,
  claim: readonly string[],
  problems: PolicyProblems,
): Requirement | undefined {
  if (items === undefined) return undefined
  const anyOf: string[][] = []
  for (const [index, item] of items.entries()) {
    const words = parseRequirement(item)
    if (words === undefined) {
      problems.add(
        `${field}[${index}]`,
        'has no word, or double quotes that do not match',
        'Write names parted by spaces, and names with spaces in double quotes.',
      )
    } else anyOf.push(words)
  }
  return { claim, anyOf }
}
