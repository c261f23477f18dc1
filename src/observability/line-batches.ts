import type { Timers } from '../clock.ts'

/** Lines on their way to whoever writes them. */
export interface LineBatch {
  readonly text: string
  /** Lines that were dropped since the batch before. */
  readonly dropped: number
}

/** Larger ones save nothing more: one message to another thread costs as much as a few lines. */
const BATCH_CHARACTERS = 65_536
/** How long a line may wait for others. */
const WAIT_MS = 100
/** What may be under way: whoever takes no more of it has stopped, and memory must not follow. */
const MAXIMUM_UNTAKEN = 4 * 1024 * 1024

/**
 * Collects lines and hands them over in batches. What is handed over counts until the taker says that it has taken it;
 * above four million characters lines are dropped, and counted.
 */
export class LineBatches {
  readonly #timers: Timers
  readonly #send: (batch: LineBatch) => void
  #text = ''
  #dropped = 0
  #untaken = 0
  #cancel: (() => void) | undefined

  constructor(timers: Timers, send: (batch: LineBatch) => void) {
    this.#timers = timers
    this.#send = send
  }

  /** @param line With its line feed. */
  add(line: string): void {
    if (this.#untaken + this.#text.length + line.length > MAXIMUM_UNTAKEN) {
      this.#dropped += 1
      return
    }
    this.#text += line
    if (this.#text.length >= BATCH_CHARACTERS) this.flush()
    else this.#cancel ??= this.#timers.after(WAIT_MS, () => this.flush())
  }

  /** The taker has taken a batch of so many characters. */
  taken(characters: number): void {
    this.#untaken -= characters
    if (this.#dropped > 0) this.flush()
  }

  /** Hands over what there is. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const [text, dropped] = [this.#text, this.#dropped]
    if (text === '' && dropped === 0) return
    this.#text = ''
    this.#dropped = 0
    this.#untaken += text.length
    this.#send({ text, dropped })
  }
}
