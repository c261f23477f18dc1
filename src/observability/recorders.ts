import type { Route } from '../table/routing-table.ts'
import type { RequestTrace } from './request-trace.ts'
import type { RequestRecord, RequestRecorder } from './request-record.ts'

/** Several recorders as one. */
export class Recorders implements RequestRecorder {
  readonly #all: readonly RequestRecorder[]

  constructor(all: readonly RequestRecorder[]) {
    this.#all = all
  }

  wants(route: Route | undefined, trace: RequestTrace | undefined): boolean {
    for (const each of this.#all) if (each.wants(route, trace)) return true
    return false
  }

  finished(record: RequestRecord): void {
    for (const each of this.#all) if (each.wants(record.route, record.trace)) each.finished(record)
  }
}
