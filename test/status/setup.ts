import { pino } from 'pino'
import { onTestFinished, vi } from 'vitest'
import type { ObjectReference } from '../../src/api/object.ts'
import { observe, type ObservedObject } from '../../src/api/observed-object.ts'
import { ApiServer } from '../../src/source/cluster/api-server.ts'
import type { Observed } from '../../src/status/desired-writes.ts'
import type { RawObject, ScriptedApiServer } from '../support/scripted-api-server.ts'
import type { ManualTimers } from '../support/manual-timers.ts'

export const silent = pino({ level: 'silent' })

/** Jitter that is none. */
export const random = (): number => 1

export function apiOf(server: ScriptedApiServer): ApiServer {
  const api = new ApiServer(() => server.kubeConfig())
  onTestFinished(() => api.close())
  return api
}

/** Waits for a condition by looking again and again. */
export function eventually(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 5000, interval: 5 })
}

/** Moves manual time a step each time something is looked for and not there yet. */
export function asTimePasses(timers: ManualTimers, stepMs: number, check: () => void): Promise<void> {
  return eventually(() => {
    timers.advance(stepMs)
    check()
  })
}

/** What a watch has brought: only what a test says. */
export class SeenObjects implements Observed {
  readonly #objects = new Map<string, ObservedObject>()

  see(kind: string, raw: RawObject): void {
    const object = observe(kind, raw)
    if (object !== undefined) this.#objects.set(keyOf(object), object)
  }

  forget(reference: ObjectReference): void {
    this.#objects.delete(keyOf(reference))
  }

  find(reference: ObjectReference): ObservedObject | undefined {
    return this.#objects.get(keyOf(reference))
  }

  observed(kind: string): ObservedObject[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind)
  }
}

function keyOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`
}
