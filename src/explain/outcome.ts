import type { AuthDecision, GoOn } from '../auth/decision.ts'
import type { Rehearsal } from '../proxy/rehearsal.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import type { Outcome } from './explanation.ts'
import { answeredOutcome } from './response-words.ts'

/** What the authorizer said; `undefined`: it was not asked, or had nothing to say. */
export type Decided = AuthDecision | GoOn | undefined

export interface OutcomeContext {
  readonly decision: Decided
  /** What authorization wanted to ask, and did not. */
  readonly withheld: readonly string[]
  /** As compiled. */
  readonly table: RoutingTable
}

const DECIDING_STEPS = new Set(['authorize', 'answerReservedPath', 'answerRoutedCallback'])
const BACKCHANNEL_LOGOUT = '/oauth2/backchannel_logout'

/** What becomes of a request that was rehearsed. */
export function outcomeOf(rehearsal: Rehearsal, { decision, withheld, table }: OutcomeContext): Outcome {
  const { found, response, steps } = rehearsal
  const unasked = [...new Set([...withheld, ...sessionStoreOf(rehearsal, table)])]
  if (unasked.length > 0) return { kind: 'unknown', wouldAsk: unasked }
  if (response === undefined) {
    return {
      kind: 'forwarded',
      upstream: found.upstream ?? '',
      path: found.upstreamPath ?? found.target?.path ?? '',
    }
  }
  return answeredOutcome(response, DECIDING_STEPS.has(steps.at(-1) ?? '') ? wordsOf(decision) : {})
}

/** Whom a logout of the authorization server's concerns is known in Redis alone. */
function sessionStoreOf({ found: { target, virtualHost }, steps }: Rehearsal, table: RoutingTable): string[] {
  if (target?.path !== BACKCHANNEL_LOGOUT || steps.at(-1) !== 'answerReservedPath') return []
  const policies = (virtualHost?.loginPolicies ?? []).flatMap((id) => table.policies[id] ?? [])
  return policies.some(({ session }) => session.redis !== undefined) ? ['Redis for the sessions to end'] : []
}

function wordsOf(decision: Decided): { reason?: string; message?: string } {
  if (decision === undefined || decision.kind === 'allow' || decision.kind === 'go_on') return {}
  if (decision.kind === 'redirect' || decision.kind === 'respond') return { reason: decision.reason }
  const { reason, message, detail } = decision
  return { reason, message: detail === undefined ? message : `${message} (${detail})` }
}
