import type { ShownCondition } from '../../admin/dashboard/dashboard-model.ts'
import { joinConditions, type RuntimeFinding } from '../../status/conditions.ts'
import type { Diagnostic, ObjectStatus } from '../../table/diagnostic.ts'
import type { RoutingTable } from '../../table/routing-table.ts'

/** The conditions that an object has, or would have where nobody writes them: without a lead, or from files. */
export function conditionsOf(
  status: ObjectStatus,
  table: RoutingTable,
  finding: RuntimeFinding | undefined,
): readonly ShownCondition[] {
  return joinConditions(status, table, finding)
}

/** What was found out about plugins at run time, as the diagnostics that it is to whoever reads the others. */
export function findingDiagnostics(findings: ReadonlyMap<string, RuntimeFinding>): Diagnostic[] {
  return [...findings].map(([id, { message, reason }]) => {
    const [namespace = '', name = ''] = id.split('/')
    return {
      severity: 'warning',
      reason,
      object: { kind: 'OIDCPlugin', namespace, name },
      path: 'spec.issuer',
      message,
      remedy: `Run: ostiary doctor ${id}`,
    }
  })
}
