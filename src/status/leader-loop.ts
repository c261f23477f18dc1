import type { Timers } from '../clock.ts'
import { pause } from '../source/cluster/back-off.ts'
import { Wake } from './wake.ts'

export interface LeaderLoopOptions {
  readonly timers: Timers
  /** A pass comes so often even if nothing wakes it, for what others changed. */
  readonly everyMs: number
  readonly isLeader: () => boolean
  /** Does what is due. @returns After how long to go on, where not all could be done. */
  readonly pass: (signal: AbortSignal) => Promise<number | undefined>
  /** Told of what a pass throws, which is a slip of ours. */
  readonly slipped: (error: unknown) => void
}

/** Passes over what is to be written, one at a time, while this instance leads: when woken, and now and then. */
export class LeaderLoop {
  readonly #options: LeaderLoopOptions
  readonly #wake: Wake

  constructor(options: LeaderLoopOptions) {
    this.#options = options
    this.#wake = new Wake(options.timers)
  }

  /** Whether the next pass is due at once. */
  get isWoken(): boolean {
    return this.#wake.isWoken
  }

  wake(): void {
    this.#wake.now()
  }

  /**
   * Runs until the signal; never rejects. Who leads must go on after a slip: with this loop ended, and the Lease
   * renewed, nobody would write any more.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { timers, everyMs, isLeader, pass, slipped } = this.#options
    while (!signal.aborted) {
      await this.#wake.sleep(everyMs, signal)
      if (signal.aborted || !isLeader()) continue
      const delayMs = await pass(signal).catch((error: unknown) => {
        slipped(error)
        return everyMs
      })
      if (delayMs === undefined) continue
      await pause(timers, delayMs, signal)
      this.#wake.now()
    }
  }
}
