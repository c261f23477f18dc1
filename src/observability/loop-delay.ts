import type { Clock, Timers } from '../clock.ts'
import { BucketHistogram } from './bucket-histogram.ts'
import type { MetricFamily } from './request-metrics.ts'

/** Fifty timers a second: too few to be seen in what a request costs. */
const INTERVAL_MS = 20
const NAME = 'ostiary_proxy_thread_event_loop_delay_seconds'

/**
 * How late the event loop of this thread sees to what is due: a request that comes meanwhile waits as long. A histogram of
 * our own and not `monitorEventLoopDelay`, which has to be reset to tell of what is new, and then misses what follows.
 */
export class LoopDelay {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #histogram = new BucketHistogram()
  #dueMs = 0
  #cancel: () => void = () => {}

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock
    this.#timers = timers
    this.#wait()
  }

  families(): MetricFamily[] {
    return [
      {
        name: NAME,
        help: 'How late the event loops of proxy threads were: requests that came meanwhile waited as long',
        type: 'histogram',
        aggregator: 'sum',
        values: this.#histogram.samples(NAME, {}),
      },
    ]
  }

  stop(): void {
    this.#cancel()
  }

  #wait(): void {
    this.#dueMs = this.#clock.monotonic() + INTERVAL_MS
    this.#cancel = this.#timers.after(INTERVAL_MS, this.#look)
  }

  readonly #look = (): void => {
    this.#histogram.observe(Math.max(0, this.#clock.monotonic() - this.#dueMs) / 1000)
    this.#wait()
  }
}
