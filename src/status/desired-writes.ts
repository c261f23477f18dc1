import type { ObjectReference } from '../api/object.ts'
import type { ObservedObject } from '../api/observed-object.ts'
import type { ObjectStatus, PluginClaim } from '../table/diagnostic.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import { joinConditions, nextStatus, type RuntimeFinding } from './conditions.ts'
import { addressesIn, hasAddresses, type IngressAddress } from './ingress-addresses.ts'

/** How the field managers of all installations begin. */
const MANAGER_PREFIX = 'ostiary/'

/** What the API server has, as it is followed. */
export interface Observed {
  find(reference: ObjectReference): ObservedObject | undefined
  observed(kind: string): Iterable<ObservedObject>
}

/** What a compile that all threads run on says of the objects. */
export interface StatusInput {
  readonly statuses: readonly ObjectStatus[]
  /** The Ingresses that are ours. */
  readonly ingresses: readonly ObjectReference[]
  readonly table: RoutingTable
  /** By the `namespace/name` of an OIDCPlugin, where its conditions are not simply ours to write. */
  readonly claims?: ReadonlyMap<string, PluginClaim>
}

/** One status to apply. */
export interface StatusWrite {
  readonly object: ObservedObject
  /** Absent: give up what is ours. An empty one would be owned like any other. */
  readonly status?: object
}

export interface DesiredWritesOptions {
  readonly observed: Observed
  readonly input: StatusInput
  /** Of Ingresses; undefined: not known, theirs are left as they are. */
  readonly addresses: readonly IngressAddress[] | undefined
  /** By the `namespace/name` of an OIDCPlugin. */
  readonly findings: ReadonlyMap<string, RuntimeFinding>
  /** Our field manager. */
  readonly manager: string
  /** RFC 3339, in whole seconds. */
  readonly now: string
}

/**
 * The writes that are due, each judged by what is observed when it is asked for. What is right already gives none, so
 * that a second pass over the same objects writes nothing.
 */
export function* desiredWrites(options: DesiredWritesOptions): Generator<StatusWrite, void, undefined> {
  yield* conditionWrites(options)
  if (options.addresses !== undefined) yield* addressWrites(options, options.addresses)
}

function* conditionWrites(options: DesiredWritesOptions): Generator<StatusWrite, void, undefined> {
  const { observed, input, findings, manager, now } = options
  for (const each of input.statuses) {
    const object = observed.find(each)
    if (object === undefined || object.uid === '') continue
    const id = each.kind === 'OIDCPlugin' ? `${each.namespace}/${each.name}` : ''
    const claim = input.claims?.get(id)
    if (claim !== undefined && isLeftToOthers(object, claim, manager, each.observedGeneration)) continue
    const finding = findings.get(id)
    const desired = joinConditions(each, input.table, finding)
    const status = nextStatus(each.observedGeneration, desired, object.status, now)
    if (status !== undefined) yield { object, status }
  }
}

/** Whether the conditions are those of another installation, and none of them ours. */
export function isHeldByAnother({ statusManagers }: ObservedObject, manager: string): boolean {
  const holders = statusManagers.filter((each) => each.startsWith(MANAGER_PREFIX))
  return holders.length > 0 && !holders.includes(manager)
}

/** Where nobody's Ingress names a plugin, the installation that wrote its conditions goes on while it keeps up. */
function isLeftToOthers(
  object: ObservedObject,
  claim: PluginClaim,
  manager: string,
  generation: number,
): boolean {
  if (claim === 'others') return true
  const { observedGeneration } = (object.status ?? {}) as { observedGeneration?: unknown }
  return isHeldByAnother(object, manager) && observedGeneration === generation
}

/**
 * An Ingress that is not ours is touched only where we are known to own its addresses, since it was ours before: an
 * apply without them gives up what is ours and leaves what another controller wrote meanwhile.
 */
function* addressWrites(
  { observed, input, manager }: DesiredWritesOptions,
  addresses: readonly IngressAddress[],
): Generator<StatusWrite, void, undefined> {
  const ours = new Set<string>()
  for (const reference of input.ingresses) {
    ours.add(`${reference.namespace}/${reference.name}`)
    const object = observed.find(reference)
    if (object === undefined || object.uid === '' || hasAddresses(object.status, addresses)) continue
    yield { object, status: { loadBalancer: { ingress: addresses } } }
  }
  for (const object of observed.observed('Ingress')) {
    if (!ours.has(`${object.namespace}/${object.name}`) && isHeld(object, manager)) {
      yield { object }
    }
  }
}

/** The writes that take our addresses from every Ingress. */
export function* clearingWrites(
  observed: Observed,
  manager: string,
): Generator<StatusWrite, void, undefined> {
  for (const object of observed.observed('Ingress')) if (isHeld(object, manager)) yield { object }
}

function isHeld({ status, statusManagers }: ObservedObject, manager: string): boolean {
  return statusManagers.includes(manager) && addressesIn(status).length > 0
}
