/** The last so many of something. What is written over is the slot itself, so that a full ring allocates nothing. */
export class Ring<Slot extends object> {
  readonly #slots: Slot[] = []
  readonly #size: number
  readonly #create: () => Slot
  #next = 0

  /** @param create An empty slot; called so many times at most. */
  constructor(size: number, create: () => Slot) {
    this.#size = size
    this.#create = create
  }

  /** The slot to write to: a new one, else the oldest, every member of which must be written. */
  next(): Slot {
    const index = this.#next
    this.#next = (index + 1) % this.#size
    return (this.#slots[index] ??= this.#create())
  }

  /** Copies, newest first. */
  newestFirst(): Slot[] {
    const { length } = this.#slots
    const newest = this.#next + length - 1
    return Array.from({ length }, (_, age) => ({ ...(this.#slots[(newest - age) % length] as Slot) }))
  }
}
