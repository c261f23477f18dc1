import { andThen, type MaybePromise } from '../auth/maybe-promise.ts'
import { messageOf } from '../errors.ts'
import type { DecisionLabels } from '../observability/request-metrics.ts'
import { auditCut } from './audit-refusal.ts'
import type { Engine, Exchange } from './exchange.ts'
import { judgeAgain, openedBy, type OpenedTunnel, type Standing } from './tunnel-standing.ts'

/** How often an open connection is judged again. */
const INTERVAL_MS = 2_000

/**
 * How long one may go on that nobody can judge, below the five seconds that are promised. Counts from when it was last
 * asked about: a slow answer may be as old as its question.
 */
const UNCONFIRMED_MS = 4_500

/**
 * Cuts a tunnel once its request would no longer be let through. An authorization server or a session store that gives
 * no answer is asked again, but not for long.
 */
export class TunnelGuard {
  readonly #engine: Engine
  readonly #opened: OpenedTunnel
  readonly #cut: (decision: DecisionLabels) => void
  #stopped = false
  #cancelNext: () => void = ignore
  #cancelOverdue: () => void = ignore

  constructor(engine: Engine, opened: OpenedTunnel, cut: (decision: DecisionLabels) => void) {
    this.#engine = engine
    this.#opened = opened
    this.#cut = cut
  }

  start(): void {
    this.#confirmed(0)
  }

  stop(): void {
    this.#stopped = true
    this.#cancelNext()
    this.#cancelOverdue()
  }

  #confirmed(agoMs: number): void {
    this.#cancelOverdue()
    this.#cancelOverdue = this.#engine.timers.after(UNCONFIRMED_MS - agoMs, () => this.#end('unconfirmed'))
    this.#again(agoMs)
  }

  #again(agoMs: number): void {
    this.#cancelNext = this.#engine.timers.after(Math.max(0, INTERVAL_MS - agoMs), () => this.#check())
  }

  #check(): void {
    const { clock } = this.#engine
    const askedAt = clock.monotonic()
    try {
      const standing: MaybePromise<void> = andThen(judgeAgain(this.#engine, this.#opened), (found) =>
        this.#follow(found, clock.monotonic() - askedAt),
      )
      if (standing instanceof Promise) standing.catch((error: unknown) => this.#fail(error))
    } catch (error) {
      this.#fail(error)
    }
  }

  #follow({ kind, reason }: Standing, agoMs: number): void {
    if (this.#stopped) return
    if (kind === 'ended') {
      this.#end(reason)
      return
    }
    if (kind === 'confirmed') this.#confirmed(agoMs)
    else this.#again(0)
  }

  #fail(error: unknown): void {
    if (this.#stopped) return
    this.#engine.log.error({ error: messageOf(error) }, 'an open connection could not be judged')
    this.#end('failed')
  }

  #end(reason: string): void {
    this.stop()
    const { policy: plugin, method: flow } = this.#opened.identity
    const decision: DecisionLabels = { plugin, flow, result: 'close', reason }
    this.#engine.metrics.decided(decision)
    this.#engine.log.info({ plugin, reason }, 'open connection cut')
    auditCut(this.#engine, this.#opened, reason)
    this.#cut(decision)
  }
}

/** The guard of a tunnel that the exchange opened, started; `undefined` where its plugin asks for none. */
export function guardTunnel(
  exchange: Exchange,
  cut: (decision: DecisionLabels) => void,
): TunnelGuard | undefined {
  const { engine, allow, snapshot } = exchange
  if (allow === undefined) return undefined
  if (snapshot.table.policies[allow.identity.policy]?.reauthorizesUpgrades !== true) return undefined
  const guard = new TunnelGuard(engine, openedBy(exchange, allow.identity), cut)
  guard.start()
  return guard
}

function ignore(): void {}
