import { EMPTY_LIVE_TABLE, LiveTableDraft, type LiveTable } from '../table/live-table.ts'
import type { LiveSnapshot } from './active-snapshot.ts'
import type { PublicationPart } from './thread-messages.ts'

/** What became of a part. `outOfStep`: nothing changed, and the whole is needed. */
export type Receipt =
  | { readonly kind: 'more' }
  | { readonly kind: 'complete'; readonly snapshot: LiveSnapshot }
  | { readonly kind: 'outOfStep' }

interface Underway {
  readonly sequence: number
  readonly draft: LiveTableDraft
  nextIndex: number
}

const OUT_OF_STEP: Receipt = { kind: 'outOfStep' }

/** Puts publications together from their parts, in a proxy thread. Nothing of one is live before it is complete. */
export class PublicationReceiver {
  #live: LiveTable
  #sequence: number
  #underway: Underway | undefined

  /** @param sequence Of the publication that the table is of; 0: none. */
  constructor(live: LiveTable, sequence: number) {
    this.#live = live
    this.#sequence = sequence
  }

  /** @throws where a part of a whole cannot be taken: nothing that could be sent instead would fit. */
  take(part: PublicationPart): Receipt {
    const underway = this.#underwayFor(part)
    this.#underway = undefined
    if (underway === undefined) return OUT_OF_STEP
    try {
      for (const change of part.changes) underway.draft.apply(change)
    } catch (error) {
      if (part.base === 0) throw error
      return OUT_OF_STEP
    }
    if (part.last === undefined) {
      underway.nextIndex += 1
      this.#underway = underway
      return { kind: 'more' }
    }
    this.#live = underway.draft.seal()
    this.#sequence = part.sequence
    return { kind: 'complete', snapshot: { ...part.last, live: this.#live } }
  }

  #underwayFor({ sequence, base, index }: PublicationPart): Underway | undefined {
    if (index > 0) {
      const underway = this.#underway
      return underway?.sequence === sequence && underway.nextIndex === index ? underway : undefined
    }
    if (base !== 0 && base !== this.#sequence) return undefined
    const draft = new LiveTableDraft(base === 0 ? EMPTY_LIVE_TABLE : this.#live)
    return { sequence, draft, nextIndex: 0 }
  }
}
