import { RecentDecisions } from './recent-decisions.ts'
import { RecentErrors } from './recent-errors.ts'

/** What one thread remembers of single requests. */
export interface RecentRequests {
  readonly decisions: RecentDecisions
  readonly errors: RecentErrors
}

export function createRecentRequests(): RecentRequests {
  return { decisions: new RecentDecisions(), errors: new RecentErrors() }
}
