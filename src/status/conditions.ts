import type { Condition, ObjectStatus } from '../table/diagnostic.ts'
import type { Reason, RuntimeReason } from '../table/reasons.ts'
import type { RoutingTable } from '../table/routing-table.ts'

/** Something that was found out at run time about what a plugin needs. */
export interface RuntimeFinding {
  readonly reason: RuntimeReason
  /** Never holds a secret. */
  readonly message: string
}

/** A condition that an object should have. */
export interface DesiredCondition {
  readonly type: Condition['type'] | 'Programmed'
  readonly status: Condition['status']
  readonly reason: Reason
  readonly message: string
}

/** metav1.Condition as it is written. */
export interface WrittenCondition extends DesiredCondition {
  readonly observedGeneration: number
  readonly lastTransitionTime: string
}

/** The status of an OIDCPlugin or a Consumer. */
export interface WrittenStatus {
  readonly observedGeneration: number
  readonly conditions: readonly WrittenCondition[]
}

/** The API server takes no longer message. */
const MAXIMUM_MESSAGE = 32_768

/**
 * Joins what the compiler says of an object with what is known of the threads and of the world.
 *
 * @param table The table that all threads of this process have acknowledged.
 */
export function joinConditions(
  status: ObjectStatus,
  table: RoutingTable,
  finding: RuntimeFinding | undefined,
): readonly DesiredCondition[] {
  const conditions = status.conditions.map((condition) =>
    condition.type === 'Warning' && finding !== undefined ? warned(condition, finding) : condition,
  )
  return [...conditions, programmed(status, table)]
}

function warned(condition: Condition, { reason, message }: RuntimeFinding): DesiredCondition {
  const text = condition.message === '' ? message : `${message}\n${condition.message}`
  return { type: 'Warning', status: 'True', reason, message: text.slice(0, MAXIMUM_MESSAGE) }
}

function programmed(status: ObjectStatus, table: RoutingTable): DesiredCondition {
  const type = 'Programmed'
  if (isInTable(status, table)) return { type, status: 'True', reason: 'Programmed', message: '' }
  const cause = status.conditions.find((each) => each.type !== 'Warning' && each.status === 'False')
  const message =
    status.kind === 'OIDCPlugin' ? 'Routes that name it are closed.' : 'No claim is mapped to it.'
  return { type, status: 'False', reason: cause?.reason ?? 'NotProgrammed', message }
}

function isInTable({ kind, namespace, name, conditions }: ObjectStatus, table: RoutingTable): boolean {
  if (kind === 'OIDCPlugin') return table.policies[`${namespace}/${name}`] !== undefined
  return isAccepted({ conditions })
}

/** As the compiler has judged the object. */
export function isAccepted({ conditions }: Pick<ObjectStatus, 'conditions'>): boolean {
  return conditions.some(({ type, status }) => type === 'Accepted' && status === 'True')
}

/**
 * The status to write, or nothing where the observed one says the same already. The time of a condition's last
 * transition is kept unless its `status` flips.
 *
 * @param observed As the API server has it; anything.
 * @param now RFC 3339, in whole seconds.
 */
export function nextStatus(
  generation: number,
  desired: readonly DesiredCondition[],
  observed: unknown,
  now: string,
): WrittenStatus | undefined {
  const known = conditionsIn(observed)
  const conditions = desired.map((condition): WrittenCondition => {
    const before = known.get(condition.type)
    const time = before?.['lastTransitionTime']
    const isKept = before?.['status'] === condition.status && typeof time === 'string'
    return { ...condition, observedGeneration: generation, lastTransitionTime: isKept ? time : now }
  })
  const isWritten =
    fieldOf(observed, 'observedGeneration') === generation &&
    conditions.every((condition) => isSame(condition, known.get(condition.type)))
  return isWritten ? undefined : { observedGeneration: generation, conditions }
}

const COMPARED = ['status', 'reason', 'message', 'observedGeneration', 'lastTransitionTime'] as const

function isSame(condition: WrittenCondition, before: Readonly<Record<string, unknown>> | undefined): boolean {
  return before !== undefined && COMPARED.every((field) => before[field] === condition[field])
}

function conditionsIn(observed: unknown): Map<unknown, Readonly<Record<string, unknown>>> {
  const conditions = fieldOf(observed, 'conditions')
  const list: unknown[] = Array.isArray(conditions) ? conditions : []
  const mappings = list.filter(
    (each): each is Record<string, unknown> => typeof each === 'object' && each !== null,
  )
  return new Map(mappings.map((each) => [each['type'], each]))
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined
}
