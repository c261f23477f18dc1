import { Ring } from './ring.ts'
import type { DecisionCounts } from './request-totals.ts'

/** How a request was decided that a plugin guards. Of the request itself there is nothing in it. */
export interface NotedDecision {
  /** On the monotonic clock. */
  notedAt: number
  /** Id of the route; empty for reserved paths. */
  route: string
  flow: string
  result: keyof DecisionCounts
  reason: string
  /** Of the answer; 0 where the request went on. */
  status: number
  /** Name of the Consumer; empty: the caller is none, or not known. */
  consumer: string
}

/** Requests that pass come by the thousand and are alike; those that do not are what somebody looks for. */
const PASSED = 10
const NOT_PASSED = 40

interface OfPlugin {
  readonly passed: Ring<NotedDecision>
  readonly notPassed: Ring<NotedDecision>
}

/** The last decisions of one thread by plugin; bounded, and written in place. */
export class RecentDecisions {
  readonly #plugins = new Map<string, OfPlugin>()

  /** The slot to write a decision to, every member of it. */
  next(plugin: string, result: NotedDecision['result']): NotedDecision {
    let rings = this.#plugins.get(plugin)
    if (rings === undefined) {
      rings = { passed: new Ring(PASSED, emptySlot), notPassed: new Ring(NOT_PASSED, emptySlot) }
      this.#plugins.set(plugin, rings)
    }
    return (result === 'allow' ? rings.passed : rings.notPassed).next()
  }

  /** Newest first. */
  of(plugin: string): NotedDecision[] {
    const rings = this.#plugins.get(plugin)
    if (rings === undefined) return []
    const noted = [...rings.passed.newestFirst(), ...rings.notPassed.newestFirst()]
    return noted.sort((one, other) => other.notedAt - one.notedAt)
  }

  /** Drops what is of plugins without one of these policies. */
  retain(policies: Readonly<Record<string, unknown>>): void {
    for (const plugin of this.#plugins.keys())
      if (!Object.hasOwn(policies, plugin)) this.#plugins.delete(plugin)
  }
}

function emptySlot(): NotedDecision {
  return { notedAt: 0, route: '', flow: '', result: 'allow', reason: '', status: 0, consumer: '' }
}
