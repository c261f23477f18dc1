import type { X509Certificate } from 'node:crypto'
import type { Annotations } from '../api/annotations.ts'
import type { EndpointSlice } from '../api/endpoint-slice.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Secret } from '../api/secret.ts'
import type { Service } from '../api/service.ts'
import type { Endpoint } from '../table/routing-table.ts'
import type { AuthoritiesReading } from './client-certificates.ts'
import type { Diagnostics } from './diagnostics.ts'
import { isSameList, PassMemo } from './pass-memo.ts'
import type { CompiledPlugin } from './plugins.ts'
import type { HostRules } from './rules.ts'
import type { Loading } from './tls.ts'
import type { AttachedHost, AttachSources, BuiltHost, HostSources } from './virtual-host.ts'

const NO_SOURCES = {}

/**
 * What one compile leaves to the next, so that it costs what changed between them. It makes compiles faster and nothing
 * else: with an empty one the result is the same. For one set of options only.
 */
export class CompileMemo {
  readonly annotations = new WeakMap<Ingress | Service, Annotations>()
  readonly namedHosts = new WeakMap<Ingress, readonly string[]>()
  readonly certificates = new WeakMap<Secret, Loading>()
  readonly authorities = new WeakMap<Secret, AuthoritiesReading>()
  /** Whether a certificate covers a host. */
  readonly coverage = new WeakMap<X509Certificate, Map<string, boolean>>()
  readonly plugins = new PassMemo<'secrets', CompiledPlugin>()
  readonly rules = new PassMemo<'owners', readonly HostRules[]>()
  readonly endpoints = new PassMemo<never, readonly Endpoint[]>()
  readonly attachedHosts = new PassMemo<keyof AttachSources, AttachedHost>()
  readonly builtHosts = new PassMemo<keyof HostSources | 'mappedHeaders', BuiltHost>()
  readonly #lists = new PassMemo<never, unknown>()
  readonly #sliceLists = new WeakMap<EndpointSlice, readonly EndpointSlice[]>()

  /** What a pass makes of a list, while that has the same objects in the same order. */
  list<Made>(
    name: string,
    list: readonly unknown[],
    diagnostics: Diagnostics,
    pass: (found: Diagnostics) => Made,
  ): Made {
    const surroundings = { sources: NO_SOURCES, diagnostics }
    return this.#lists.run(name, list, surroundings, (_, found) => pass(found)) as Made
  }

  /** The list itself: the former one where it has the same objects. */
  same<Item>(name: string, list: readonly Item[], diagnostics: Diagnostics): readonly Item[] {
    return this.list(name, list, diagnostics, () => list)
  }

  /** As `same`, for the slices of each of many Services. */
  sameSlices(slices: readonly EndpointSlice[]): readonly EndpointSlice[] {
    const [first] = slices
    const before = first && this.#sliceLists.get(first)
    if (before !== undefined && isSameList(before, slices)) return before
    if (first !== undefined) this.#sliceLists.set(first, slices)
    return slices
  }

  /** To be called at the end of a compile: forgets what it had no use for. */
  sweep(): void {
    for (const memo of [
      this.plugins,
      this.rules,
      this.endpoints,
      this.attachedHosts,
      this.builtHosts,
      this.#lists,
    ]) {
      memo.sweep()
    }
  }
}
