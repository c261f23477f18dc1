import type { Rehearsal } from '../proxy/rehearsal.ts'
import type { LiveTable } from '../table/live-table.ts'
import { certificateStep } from './certificate-step.ts'
import type { ExplainedStep, Outcome } from './explanation.ts'
import { describeAllow } from './flow-answers.ts'
import type { Decided } from './outcome.ts'
import { STEPS } from './passed-steps.ts'

export interface StepContext {
  readonly live: LiveTable
  /** SNI of the handshake. */
  readonly serverName: string | undefined
  readonly outcome: Outcome
  readonly decision: Decided
}

/** The steps that a request took and that there is something to tell of; the last one with its answer. */
export function explainedSteps(rehearsal: Rehearsal, context: StepContext): ExplainedStep[] {
  const { live, outcome, serverName } = context
  const certificate = rehearsal.isEncrypted ? [certificateStep(live, serverName)] : []
  const passed = (steps: readonly string[]): ExplainedStep[] =>
    steps.flatMap((step) => passedStep(step, rehearsal, context))
  if (outcome.kind === 'forwarded') return [...certificate, ...passed(rehearsal.steps)]
  const last = rehearsal.steps.at(-1) ?? 'checkFraming'
  return [...certificate, ...passed(rehearsal.steps.slice(0, -1)), lastStep(last, rehearsal, outcome)]
}

function passedStep(step: string, { found }: Rehearsal, { live, decision }: StepContext): ExplainedStep[] {
  const described =
    step === 'authorize'
      ? decision?.kind === 'allow' && { found: describeAllow(decision) }
      : STEPS[step]?.passed?.(found, live)
  if (described === undefined || described === false) return []
  return [{ step: nameOf(step), verdict: 'passed', details: [], ...described }]
}

function lastStep(
  last: string,
  { found }: Rehearsal,
  outcome: Exclude<Outcome, { kind: 'forwarded' }>,
): ExplainedStep {
  const step = nameOf(last)
  if (outcome.kind === 'unknown') {
    return { step, verdict: 'unknown', found: `would ask ${outcome.wouldAsk.join(', and ')}`, details: [] }
  }
  const { status, reason, message, headers, fix } = outcome
  const action = found.route?.action
  const why = last === 'checkOpen' && action?.kind === 'closed' ? [action.message] : []
  return {
    step,
    verdict: 'answered',
    found: [status, reason, message].filter((each) => each !== undefined).join(' '),
    details: [...why, ...headers],
    ...(fix !== undefined && { fix }),
  }
}

function nameOf(step: string): string {
  return STEPS[step]?.name ?? step
}
