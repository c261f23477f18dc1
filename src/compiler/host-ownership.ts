import type { Ingress } from '../api/ingress.ts'
import type { CompileMemo } from './compile-memo.ts'
import type { Diagnostics } from './diagnostics.ts'
import { hostProblem } from './host.ts'
import type { CompileOptions } from './options.ts'
import type { Lookup } from './pass-memo.ts'

/** Which namespace may say what a host serves. */
export class HostOwners {
  readonly #owners: Lookup<Ingress>
  readonly #shared: boolean

  constructor(owners: Lookup<Ingress>, shared: boolean) {
    this.#owners = owners
    this.#shared = shared
  }

  /** The owner of a host, as far as somebody owns it. */
  get(host: string): Ingress | undefined {
    return this.#owners.get(host)
  }

  /** As these, but asked through something else. */
  through(owners: Lookup<Ingress>): HostOwners {
    return new HostOwners(owners, this.#shared)
  }

  /**
   * Whether the Ingress may use the host; reports HostNotOwned where not. A host that no rule names is anybody's, and
   * so is the empty one.
   */
  admits(ingress: Ingress, host: string, path: string, diagnostics: Diagnostics): boolean {
    const owner = this.#owners.get(host)
    if (this.#shared || owner === undefined || owner.metadata.namespace === ingress.metadata.namespace)
      return true
    diagnostics.report(ingress, {
      severity: 'error',
      reason: 'HostNotOwned',
      path,
      message:
        `names host ${host}, which belongs to namespace ${owner.metadata.namespace} by its Ingress ` +
        `${owner.metadata.name}, the oldest that names it; this part is left out`,
      remedy: 'Use another host, move the Ingress, or start Ostiary with --allow-shared-hosts.',
    })
    return false
  }
}

/**
 * Gives each host that a rule names to the namespace of the oldest Ingress that does, whatever became of its paths.
 * Naming a host in a TLS section only owns nothing.
 *
 * @param ingresses Oldest first.
 */
export function assignHosts(
  ingresses: readonly Ingress[],
  options: CompileOptions,
  memo: CompileMemo,
): HostOwners {
  const owners = new Map<string, Ingress>()
  for (const ingress of ingresses) {
    for (const host of namedHosts(ingress, memo)) if (!owners.has(host)) owners.set(host, ingress)
  }
  return new HostOwners(owners, options.allowSharedHosts)
}

/** The hosts of an Ingress's rules that can be hosts. */
function namedHosts(ingress: Ingress, memo: CompileMemo): readonly string[] {
  const known = memo.namedHosts.get(ingress)
  if (known !== undefined) return known
  const hosts = ingress.spec.rules.flatMap(({ host }) =>
    host && hostProblem(host) === undefined ? [host] : [],
  )
  memo.namedHosts.set(ingress, hosts)
  return hosts
}
