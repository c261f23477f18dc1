import type { AccessControl } from '../../table/routing-table.ts'

/**
 * Judges a route's allowed or denied groups. Without a consumer both refuse, as in Kong: whether somebody unknown is in
 * a denied group cannot be told.
 *
 * @param groups The consumer's; `undefined` where there is none.
 */
export function isAdmitted(
  control: AccessControl | undefined,
  groups: readonly string[] | undefined,
): boolean {
  const { allowGroups, denyGroups } = control ?? {}
  if (allowGroups === undefined && denyGroups === undefined) return true
  if (groups === undefined) return false
  if (denyGroups?.some((group) => groups.includes(group)) === true) return false
  return allowGroups === undefined || allowGroups.some((group) => groups.includes(group))
}
