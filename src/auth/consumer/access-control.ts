import type { AccessControl } from '../../table/routing-table.ts'

/**
 * Judges a route's allowed or denied groups. Where nobody says what groups the caller has both refuse, as in Kong:
 * whether somebody unknown is in a denied group cannot be told.
 *
 * @param groups The caller's; `undefined` where they are not known.
 */
export function isAdmitted(
  control: AccessControl | undefined,
  groups: ReadonlySet<string> | undefined,
): boolean {
  const { allowGroups, denyGroups } = control ?? {}
  if (allowGroups === undefined && denyGroups === undefined) return true
  if (groups === undefined) return false
  if (denyGroups?.some((group) => groups.has(group)) === true) return false
  return allowGroups === undefined || allowGroups.some((group) => groups.has(group))
}
