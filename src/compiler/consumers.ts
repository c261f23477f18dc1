import type { Consumer, ConsumerSpec } from '../api/consumer.ts'
import { objectKey } from '../api/object.ts'
import { parseRateLimit } from '../api/rate-limit.ts'
import type { ObjectStatus } from '../table/diagnostic.ts'
import type { RateLimit } from '../table/route-traffic.ts'
import type { CompiledConsumer, RoutingTable } from '../table/routing-table.ts'
import type { Diagnostics } from './diagnostics.ts'
import { compareText, sortedUnique } from './order.ts'

/** The consumers that count, and the status of all. */
export interface CompiledConsumers {
  readonly byNamespace: RoutingTable['consumers']
  readonly statuses: readonly ObjectStatus[]
}

/** So many others of one name are told by theirs. */
const NAMED_OTHERS = 3

type Names = Pick<ConsumerSpec, 'username' | 'customId'>

/**
 * Compiles the consumers of each namespace. Two that share a username, or a customId, are both refused: a claim would
 * else name whichever came first.
 */
export function compileConsumers(
  consumers: readonly Consumer[],
  diagnostics: Diagnostics,
): CompiledConsumers {
  const holders = holdersOfNames(consumers)
  const byNamespace = new Map<string, CompiledConsumer[]>()
  const statuses: ObjectStatus[] = []
  for (const consumer of consumers) {
    const { namespace } = consumer.metadata
    const problem = consumer.spec.ok
      ? conflictOf(consumer, consumer.spec.value, holders)
      : invalidText(consumer)
    statuses.push(statusOf(consumer, problem))
    if (problem !== undefined) reportProblem(consumer, problem, diagnostics)
    else if (consumer.spec.ok) {
      listOf(byNamespace, namespace).push(compileOne(consumer, consumer.spec.value))
    }
  }
  const entries = [...byNamespace].sort(([a], [b]) => compareText(a, b))
  for (const [, list] of entries) list.sort((a, b) => compareText(a.id, b.id))
  return { byNamespace: Object.fromEntries(entries), statuses }
}

interface ConsumerProblem {
  readonly reason: 'Conflicted' | 'InvalidSpec'
  readonly path: string
  readonly message: string
  readonly remedy: string
}

function compileOne({ metadata }: Consumer, spec: ConsumerSpec): CompiledConsumer {
  return {
    id: metadata.uid || objectKey(metadata),
    ...(spec.username !== undefined && { username: spec.username }),
    ...(spec.customId !== undefined && { customId: spec.customId }),
    groups: sortedUnique(spec.groups),
    ...(spec.rateLimits.length > 0 && { rateLimits: compileLimits(spec.rateLimits) }),
  }
}

/** Of several for one window the least is what counts anyway. */
function compileLimits(written: readonly string[]): RateLimit[] {
  const byWindow = new Map<number, number>()
  for (const limit of written.map(parseRateLimit)) {
    if (limit === undefined) continue
    const { requests, windowSeconds } = limit
    byWindow.set(windowSeconds, Math.min(requests, byWindow.get(windowSeconds) ?? requests))
  }
  return [...byWindow]
    .sort(([a], [b]) => a - b)
    .map(([windowSeconds, requests]) => ({ requests, windowSeconds }))
}

function namesOf({ username, customId }: Names): (readonly [field: 'username' | 'customId', name: string])[] {
  return [
    ...(username === undefined ? [] : [['username', username] as const]),
    ...(customId === undefined ? [] : [['customId', customId] as const]),
  ]
}

function holdersOfNames(consumers: readonly Consumer[]): Map<string, string[]> {
  const holders = new Map<string, string[]>()
  for (const { metadata, spec } of consumers) {
    if (!spec.ok) continue
    for (const [field, name] of namesOf(spec.value)) {
      const key = JSON.stringify([metadata.namespace, field, name])
      listOf(holders, key).push(metadata.name)
    }
  }
  for (const names of holders.values()) names.sort(compareText)
  return holders
}

function listOf<Item>(lists: Map<string, Item[]>, key: string): Item[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

function conflictOf(
  { metadata }: Consumer,
  spec: ConsumerSpec,
  holders: ReadonlyMap<string, readonly string[]>,
): ConsumerProblem | undefined {
  for (const [field, name] of namesOf(spec)) {
    const all = holders.get(JSON.stringify([metadata.namespace, field, name])) ?? []
    if (all.length < 2) continue
    return {
      reason: 'Conflicted',
      path: `spec.${field}`,
      message: `is also that of ${othersOf(all, metadata.name)}; none of them counts`,
      remedy: `Give each Consumer its own ${field}.`,
    }
  }
  return undefined
}

/** Each of thousands that named all the others would be a megabyte long. */
function othersOf(names: readonly string[], own: string): string {
  const told = names.slice(0, NAMED_OTHERS + 1).filter((name) => name !== own)
  const few = told.slice(0, NAMED_OTHERS)
  const left = names.length - 1 - few.length
  return `${few.join(', ')}${left === 0 ? '' : ` and ${left} more`}`
}

function invalidText({ spec }: Consumer): ConsumerProblem | undefined {
  const [problem] = spec.ok ? [] : spec.problems
  if (problem === undefined) return undefined
  return {
    reason: 'InvalidSpec',
    path: problem.path,
    message: problem.message,
    remedy: 'Correct the field; see: kubectl explain consumer.spec',
  }
}

function reportProblem(consumer: Consumer, problem: ConsumerProblem, diagnostics: Diagnostics): void {
  diagnostics.report(consumer, { severity: 'error', ...problem })
}

function statusOf({ metadata }: Consumer, problem: ConsumerProblem | undefined): ObjectStatus {
  return {
    kind: 'Consumer',
    namespace: metadata.namespace,
    name: metadata.name,
    observedGeneration: metadata.generation,
    conditions: [
      {
        type: 'Accepted',
        status: problem === undefined ? 'True' : 'False',
        reason: problem?.reason ?? 'Accepted',
        message: problem === undefined ? '' : `${problem.path} ${problem.message}. ${problem.remedy}`,
      },
    ],
  }
}
