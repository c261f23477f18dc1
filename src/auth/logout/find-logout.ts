import type { Policy } from '../../table/policy.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import { isForm, type RequestFacts } from '../request-facts.ts'

const NOBODY: readonly Policy[] = []

/** Whether a policy lets a request to its routes log out. */
export function mayLogOut({ methods, logout }: Policy): boolean {
  const { queryArgument, postArgument, pathSuffix } = logout
  return (
    methods.includes('session') &&
    [queryArgument, postArgument, pathSuffix].some((each) => each !== undefined)
  )
}

/**
 * The policies that a request logs out of, as Kong tells it: one of `logoutMethods`, and the query argument, the form
 * field or the end of the path. A form is read only where a policy has a field for it.
 *
 * @param policies Those that `mayLogOut`.
 */
export function findLogout(
  policies: readonly Policy[],
  facts: RequestFacts,
): MaybePromise<readonly Policy[]> {
  const able = policies.filter(({ logout }) => logout.methods.some((method) => method === facts.method))
  if (able.length === 0) return NOBODY
  const found = able.filter((policy) => isInTarget(policy, facts))
  if (found.length > 0) return found
  const byForm = able.filter(({ logout }) => logout.postArgument !== undefined)
  if (byForm.length === 0 || facts.method !== 'POST' || !isForm(facts)) return NOBODY
  return facts.form().then((form) => byForm.filter(({ logout }) => form?.has(logout.postArgument ?? '')))
}

function isInTarget({ logout }: Policy, facts: RequestFacts): boolean {
  const { pathSuffix, queryArgument } = logout
  if (pathSuffix !== undefined && facts.path.endsWith(pathSuffix)) return true
  return queryArgument !== undefined && new URLSearchParams(facts.query).has(queryArgument)
}
