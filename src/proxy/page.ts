import type { RefusalReason } from '../auth/decision.ts'
import type { ProblemOptions, ProblemResponse } from './problem.ts'

export interface PageOptions extends Omit<ProblemOptions, 'reason'> {
  readonly reason?: RefusalReason
  /** Name of the person or client that was recognised. */
  readonly who?: string
}
/** A page for a refused navigation. */
export declare function refusalPage(status: number, options?: PageOptions): ProblemResponse
