import type { Logger } from 'pino'
import { objectKey, type ObjectReference } from '../../api/object.ts'
import type { ObservedObject } from '../../api/observed-object.ts'
import type { BrokenInput, KubernetesObject, Resources } from '../../api/resources.ts'
import type { Clock, Timers } from '../../clock.ts'
import { collectResources } from '../collect-resources.ts'
import type { Source, SourceProblem } from '../source.ts'
import type { ApiServer } from './api-server.ts'
import { Reflector, type Reflection } from './reflector.ts'
import { watchedResources } from './watched-resource.ts'

export interface ClusterSourceOptions {
  /** Closed by whoever made it, after `stopped()`. */
  readonly api: ApiServer
  readonly logger: Logger
  /** Only these namespaces are followed; default all. */
  readonly watchNamespaces?: readonly string[]
  /** False: neither IngressClasses nor Namespaces are followed; default true. */
  readonly hasClusterRights?: boolean
  readonly clock?: Clock
  readonly timers?: Timers
  /** See {@link Reflector}. */
  readonly silenceMs?: number
}

/** A source of live objects, with what its reflectors have lived through. */
export interface ClusterSource extends Source {
  /** One object as the API server has it, as far as is known. */
  find(reference: ObjectReference): ObservedObject | undefined
  /** All objects of a kind, in the same form. */
  observed(kind: string): Iterable<ObservedObject>
  /** One for each collection that is followed. */
  reflections(): readonly Reflection[]
}

/**
 * A source that follows the API server. `start` returns at once: an API server that is away is a problem that is
 * reported and waited out. It is synced when every collection has been listed, so while one of the CRDs is not
 * installed it is not, though everything else is followed.
 */
export function createClusterSource(options: ClusterSourceOptions): ClusterSource {
  return new ReflectorSource(options)
}

/** Twice what any single step of a reflector takes: a watch may be silent for 150 s. */
const STUCK_MS = 300_000

class ReflectorSource implements ClusterSource {
  readonly #reflectors: readonly Reflector[]
  readonly #stopped = Promise.withResolvers<void>()
  #resources: Resources | undefined
  #onChange: () => void = () => {}

  constructor({ watchNamespaces = [], hasClusterRights = true, ...options }: ClusterSourceOptions) {
    const onChange = (): void => {
      this.#resources = undefined
      this.#onChange()
    }
    this.#reflectors = watchedResources([...new Set(watchNamespaces)], hasClusterRights).map(
      (resource) => new Reflector({ ...options, resource, onChange }),
    )
  }

  async start(onChange: () => void, signal: AbortSignal): Promise<void> {
    this.#onChange = onChange
    const runs = this.#reflectors.map((reflector) => reflector.run(signal))
    void Promise.all(runs).then(() => this.#stopped.resolve())
  }

  current(): Resources {
    this.#resources ??= collectResources(this.#objects(), this.#broken())
    return this.#resources
  }

  synced(): boolean {
    return this.#reflectors.every((reflector) => reflector.synced)
  }

  problems(): readonly SourceProblem[] {
    return this.#reflectors.flatMap(({ resource, problem }) =>
      problem === undefined ? [] : [{ subject: resource.name, message: problem }],
    )
  }

  stuck(): readonly string[] {
    return this.#reflectors
      .filter(({ idleMs }) => idleMs >= STUCK_MS)
      .map(
        ({ resource, idleMs }) =>
          `the reflector of ${resource.name} has done nothing for ${Math.round(idleMs / 1000)} s`,
      )
  }

  reflections(): readonly Reflection[] {
    return this.#reflectors.map(({ reflection }) => reflection)
  }

  find(reference: ObjectReference): ObservedObject | undefined {
    for (const reflector of this.#of(reference.kind)) {
      const found = reflector.find(reference)
      if (found !== undefined) return found
    }
    return undefined
  }

  *observed(kind: string): Iterable<ObservedObject> {
    for (const reflector of this.#of(kind)) yield* reflector.observed()
  }

  #of(kind: string): readonly Reflector[] {
    return this.#reflectors.filter(({ resource }) => resource.kind === kind)
  }

  stopped(): Promise<void> {
    return this.#stopped.promise
  }

  /**
   * A labelled Secret of type kubernetes.io/tls comes by two watches; the newer of the two forms counts. All else comes
   * by one, and there may be tens of thousands.
   */
  *#objects(): Iterable<KubernetesObject> {
    const secrets = new Map<string, KubernetesObject>()
    for (const reflector of this.#reflectors) {
      if (reflector.resource.kind !== 'Secret') {
        yield* reflector.objects()
        continue
      }
      for (const object of reflector.objects()) {
        const key = objectKey(object.metadata)
        const other = secrets.get(key)
        if (other === undefined || versionOf(object) >= versionOf(other)) secrets.set(key, object)
      }
    }
    yield* secrets.values()
  }

  #broken(): BrokenInput[] {
    const byReference = new Map<unknown, BrokenInput>()
    for (const each of this.#reflectors.flatMap((reflector) => [...reflector.broken()])) {
      byReference.set(each.reference === undefined ? each : JSON.stringify(each.reference), each)
    }
    return [...byReference.values()]
  }
}

function versionOf({ metadata }: KubernetesObject): bigint {
  return /^\d+$/.test(metadata.resourceVersion) ? BigInt(metadata.resourceVersion) : 0n
}
