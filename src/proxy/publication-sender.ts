import { assertNever } from '../assert-never.ts'
import type { Snapshot } from '../table/routing-table.ts'
import { changesBetween, type SnapshotChange } from '../table/snapshot-change.ts'
import type { Publication, PublicationPart } from './thread-messages.ts'

interface Transfer {
  readonly publication: Publication
  readonly base: number
  readonly changes: Iterator<SnapshotChange>
  /** Known before the part is sent, so that the last one is known for the last. */
  ahead: IteratorResult<SnapshotChange>
  index: number
}

/**
 * A part weighs so much at most, where a route, an endpoint or a certificate is about one. A hundred took a thread up to
 * 6 ms of CPU, before the code was warm.
 */
const PART_WEIGHT = 50

/**
 * Brings one proxy thread to the newest publication: by what differs from the one that it runs on, or by the whole
 * where it runs on none. The differences are taken from what the thread acknowledged, never from what it was sent, so
 * that none can be missed.
 */
export class PublicationSender {
  readonly #send: (part: PublicationPart) => void
  #target: Publication | undefined
  #acknowledged: Publication | undefined
  #transfer: Transfer | undefined

  /** @param acknowledged What the thread was started with. */
  constructor(acknowledged: Publication | undefined, send: (part: PublicationPart) => void) {
    this.#send = send
    this.#acknowledged = acknowledged
    this.#target = acknowledged
  }

  /** The publication that the thread runs on; 0: none. */
  get acknowledged(): number {
    return this.#acknowledged?.sequence ?? 0
  }

  /** The version of its snapshot; 0: none. */
  get acknowledgedVersion(): number {
    return this.#acknowledged?.snapshot.version ?? 0
  }

  /** What is under way is finished first. */
  publish(publication: Publication): void {
    this.#target = publication
    if (this.#transfer === undefined) this.#begin()
  }

  /** The thread took a part. */
  taken(sequence: number, index: number): void {
    const transfer = this.#transfer
    if (transfer?.publication.sequence === sequence && transfer.index === index + 1) this.#sendPart(transfer)
  }

  /** The thread runs on a publication. */
  published(sequence: number): void {
    if (this.#transfer?.publication.sequence !== sequence) return
    this.#acknowledged = this.#transfer.publication
    this.#transfer = undefined
    this.#begin()
  }

  /** The thread could make nothing of a part. */
  outOfStep(sequence: number): void {
    if (this.#transfer?.publication.sequence !== sequence) return
    this.#transfer = undefined
    this.#acknowledged = undefined
    this.#begin()
  }

  #begin(): void {
    const publication = this.#target
    const from = this.#acknowledged
    if (publication === undefined || publication.sequence === from?.sequence) return
    const changes = changesFrom(from?.snapshot, publication)
    const ahead = changes.next()
    this.#transfer = { publication, base: from?.sequence ?? 0, changes, ahead, index: 0 }
    this.#sendPart(this.#transfer)
  }

  #sendPart(transfer: Transfer): void {
    const { publication, base, index } = transfer
    const { sequence, snapshot } = publication
    const changes = takeChanges(transfer)
    transfer.index += 1
    const { version, sessionKeys } = snapshot
    const isLast = transfer.ahead.done === true
    this.#send({ sequence, base, index, changes, ...(isLast && { last: { version, sessionKeys } }) })
  }
}

/** Threads in step are sent the same, which may be known already. */
function changesFrom(
  from: Snapshot | undefined,
  { snapshot, difference }: Publication,
): Iterator<SnapshotChange> {
  if (from !== undefined && difference?.from === from) return difference.changes.values()
  return changesBetween(from, snapshot)
}

/** At least one, where there is any. */
function takeChanges(transfer: Transfer): SnapshotChange[] {
  const taken: SnapshotChange[] = []
  let weight = 0
  while (transfer.ahead.done !== true && weight < PART_WEIGHT) {
    taken.push(transfer.ahead.value)
    weight += weightOf(transfer.ahead.value)
    transfer.ahead = transfer.changes.next()
  }
  return taken
}

function weightOf(change: SnapshotChange): number {
  if (change.kind === 'routes') return change.routes.length
  if (change.kind === 'delete') return 1
  switch (change.section) {
    case 'virtualHosts':
      return 1 + change.value.routes.length
    case 'upstreams':
      return 1 + change.value.endpoints.length
    case 'consumers':
      return 1 + change.value.length
    case 'policies':
      return 5
    case 'certificates':
    case 'serverNames':
    case 'secrets':
      return 1
    default:
      return assertNever(change)
  }
}
