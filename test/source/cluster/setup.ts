import { pino } from 'pino'
import { onTestFinished, vi } from 'vitest'
import { systemTimers, type Timers } from '../../../src/clock.ts'
import { ApiServer } from '../../../src/source/cluster/api-server.ts'
import { Reflector, type ReflectorOptions } from '../../../src/source/cluster/reflector.ts'
import { watchedResources, type WatchedResource } from '../../../src/source/cluster/watched-resource.ts'
import type { RawObject, ScriptedApiServer } from '../../support/scripted-api-server.ts'

export const silent = pino({ level: 'silent' })

/** Timers that wait a hundredth of what is asked for, and note it. */
export class HurriedTimers implements Timers {
  readonly asked: number[] = []

  after(delayMs: number, callback: () => void): () => void {
    this.asked.push(delayMs)
    return systemTimers.after(delayMs / 100, callback)
  }
}

export const SERVICES: WatchedResource = watchedResources([]).find(({ kind }) => kind === 'Service')!
export const PLUGINS: WatchedResource = watchedResources([]).find(({ kind }) => kind === 'OIDCPlugin')!

export function service(name: string, externalName = 'a.example.com'): RawObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { type: 'ExternalName', externalName },
  }
}

/** A reflector that runs until the test ends. */
export function startReflector(
  server: ScriptedApiServer,
  options: Partial<ReflectorOptions> = {},
): {
  readonly reflector: Reflector
  readonly timers: HurriedTimers
  readonly onChange: ReturnType<typeof vi.fn<() => void>>
  readonly stop: () => Promise<void>
} {
  const timers = new HurriedTimers()
  const onChange = vi.fn<() => void>()
  const api = new ApiServer(() => server.kubeConfig())
  const reflector = new Reflector({
    api,
    resource: SERVICES,
    onChange,
    logger: silent,
    timers,
    random: () => 1,
    ...options,
  })
  const controller = new AbortController()
  const run = reflector.run(controller.signal)
  const stop = async (): Promise<void> => {
    controller.abort()
    await run
    await api.close()
  }
  onTestFinished(stop)
  return { reflector, timers, onChange, stop }
}

/** `name=externalName` of all Services that a reflector knows. */
export function known(reflector: Reflector): string[] {
  return [...reflector.objects()]
    .map((object) => `${object.metadata.name}=${object.kind === 'Service' ? object.spec.externalName : ''}`)
    .toSorted()
}

/** Waits for a condition by looking again and again. */
export function eventually(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 5000, interval: 5 })
}
