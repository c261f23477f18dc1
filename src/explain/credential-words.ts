import { findClient } from '../auth/client-credential.ts'
import { findToken } from '../auth/credential.ts'
import type { RequestFacts } from '../auth/request-facts.ts'
import { RoutePlans } from '../auth/route-plan.ts'
import { isOwnCookie } from '../auth/session/cookie-names.ts'
import type { JudgingTable, Route } from '../table/routing-table.ts'
import { describeToken } from './token-claims.ts'

/** What a request carries that the plugins of its route look at: where, and of tokens a few claims. */
export function describeCredentials(table: JudgingTable, route: Route, facts: RequestFacts): string[] {
  const plan = new RoutePlans().get(table, route)
  if (plan === undefined) return []
  const token = findToken(plan, facts, undefined)
  const client = plan.clients && findClient(plan.clients.clientCredentials, facts, undefined)
  return [
    ...(plan.sessions.length > 0 && hasOwnCookie(facts)
      ? ['a cookie of Ostiary, which is not opened here']
      : []),
    ...(token === 'conflict' ? ['two access tokens that differ'] : []),
    ...(token === undefined || token === 'conflict' ? [] : describeToken(token)),
    ...(client === undefined ? [] : ['a client id and secret']),
  ]
}

/** Of a session or of a login that is under way. */
export function hasOwnCookie({ headers }: RequestFacts): boolean {
  const { cookie } = headers
  return String(cookie ?? '')
    .split(';')
    .some((pair) => isOwnCookie(pair.slice(0, Math.max(0, pair.indexOf('='))).trim()))
}
