import type { Rehearsal } from '../proxy/rehearsal.ts'
import type { Route } from '../table/routing-table.ts'
import { hasOwnCookie } from './credential-words.ts'
import type { Question } from './question.ts'

/** What is taken for granted of a request, and may be otherwise when it is really sent. */
export function assumptionsOf({ found }: Rehearsal, { told }: Question): string[] {
  const { facts, route, view, virtualHost } = found
  const isForwarded = told.headers.some((name) => /^x-forwarded-(?:for|proto)$/i.test(name))
  const assumptions: string[] = []
  if (facts !== undefined && hasOwnCookie(facts)) assumptions.push(NO_SESSIONS)
  if (isForwarded && view?.trusted === false) {
    assumptions.push(`X-Forwarded-* is not believed, as ${told.from} is not among --trusted-proxies.`)
  }
  if (virtualHost?.clientAuthorities !== undefined) assumptions.push('The client shows no certificate.')
  if (route?.traffic?.rateLimits !== undefined) assumptions.push('No limit of requests is used up yet.')
  return [...assumptions, ...canaryAssumption(route)]
}

const NO_SESSIONS =
  'Sessions are not opened here: the cookie counts as none. With a good one the session would decide.'

function canaryAssumption(route: Route | undefined): string[] {
  const canary = route?.action.kind === 'forward' ? route.action.canary : undefined
  if (canary === undefined || canary.weight <= 0 || canary.weight >= 100) return []
  return [`${canary.weight} % of such requests go to the canary ${canary.upstream} instead.`]
}
