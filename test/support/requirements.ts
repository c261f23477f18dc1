/**
 * Says whether tests must be skipped because something is absent on this machine, for `describe.skipIf(…)`. The
 * reason is printed. With OSTIARY_TEST_REQUIRE_ALL=1 nothing may be skipped, and an absent thing is an error.
 *
 * @param name What is needed, for example `Redis`.
 * @param available Whether it is there.
 * @param reason Why it is not, and how to provide it.
 * @returns True when the tests must be skipped.
 */
export function requirement(name: string, available: boolean, reason: string): boolean {
  if (available) return false
  if (process.env['OSTIARY_TEST_REQUIRE_ALL'] === '1') {
    throw new Error(`${name} is required and absent: ${reason}`)
  }
  console.warn(`skipped, ${name} is absent: ${reason}`)
  return true
}

/** As {@link requirement}, for tests against a real API server: in CI a cluster must be there. */
export function clusterRequirement(): boolean {
  const isThere = (process.env['KUBECONFIG'] ?? '') !== ''
  const reason = 'set KUBECONFIG to the kubeconfig of a cluster whose objects may be changed'
  if (!isThere && (process.env['CI'] ?? '') !== '') throw new Error(`a cluster is required in CI: ${reason}`)
  return requirement('a cluster', isThere, reason)
}
