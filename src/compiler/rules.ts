import type { Ingress, IngressBackend } from '../api/ingress.ts'
import { objectKey } from '../api/object.ts'
import type { AnnotationIndex } from './annotation-index.ts'
import type { Diagnostics, Finding } from './diagnostics.ts'
import type { HostOwners } from './host-ownership.ts'
import { hostProblem } from './host.ts'
import { compareText } from './order.ts'
import { looksLikeRegex, readPath } from './path.ts'

/** One path of one rule, or a default backend, of an Ingress that counts. */
export interface PathEntry {
  readonly ingress: Ingress
  readonly id: string
  /** Where in the Ingress. */
  readonly place: string
  readonly pathType: 'Exact' | 'Prefix'
  readonly path: string
  readonly trailingSlash: boolean
  readonly backend: IngressBackend
}

/** What the Ingresses say of one host; both lists oldest Ingress first, then as written. */
export interface HostRules {
  readonly host: string
  readonly entries: PathEntry[]
  readonly defaults: PathEntry[]
}

type Rule = Ingress['spec']['rules'][number]

/**
 * Sorts the rules of the Ingresses by host. A rule whose host or path cannot be taken is reported and left out; a host
 * that is named is listed even if nothing is left of its paths, so that no other host's routes answer for it.
 *
 * @param ingresses Oldest first.
 */
export function collectRules(
  ingresses: readonly Ingress[],
  owners: HostOwners,
  annotations: AnnotationIndex,
  diagnostics: Diagnostics,
): HostRules[] {
  const collector = new RuleCollector(owners, annotations, diagnostics)
  for (const ingress of ingresses) collector.add(ingress)
  return collector.result()
}

class RuleCollector {
  readonly #hosts = new Map<string, HostRules>()
  readonly #owners: HostOwners
  readonly #annotations: AnnotationIndex
  readonly #diagnostics: Diagnostics

  constructor(owners: HostOwners, annotations: AnnotationIndex, diagnostics: Diagnostics) {
    this.#owners = owners
    this.#annotations = annotations
    this.#diagnostics = diagnostics
  }

  add(ingress: Ingress): void {
    const named = new Set<string>()
    for (const [index, rule] of ingress.spec.rules.entries()) {
      const host = this.#takeHost(ingress, rule, index)
      if (host === undefined) continue
      named.add(host)
      this.#addPaths(ingress, rule, index)
    }
    if (ingress.spec.rules.length === 0) this.#addRuleless(ingress, named)
    const backend = ingress.spec.defaultBackend
    if (backend == null) return
    for (const host of named) this.#rulesOf(host).defaults.push(defaultEntry(ingress, backend))
  }

  result(): HostRules[] {
    return [...this.#hosts.values()].sort((a, b) => compareText(a.host, b.host))
  }

  #takeHost(ingress: Ingress, rule: Rule, index: number): string | undefined {
    const host = rule.host ?? ''
    const path = `spec.rules[${index}].host`
    const problem = host === '' ? undefined : hostProblem(host)
    if (problem !== undefined) {
      const message = `${JSON.stringify(host)} ${problem}; the rule is left out`
      this.#report(ingress, 'error', { reason: 'InvalidHost', path, message, remedy: 'Correct the host.' })
      return undefined
    }
    return this.#owners.admits(ingress, host, path, this.#diagnostics) ? host : undefined
  }

  #addPaths(ingress: Ingress, rule: Rule, ruleIndex: number): void {
    const rules = this.#rulesOf(rule.host ?? '')
    const paths = rule.http?.paths ?? []
    if (paths.length === 0 && ingress.spec.defaultBackend == null) {
      this.#report(ingress, 'warning', {
        reason: 'RuleWithoutBackend',
        path: `spec.rules[${ruleIndex}]`,
        message: 'has no path, and the Ingress no defaultBackend: nothing is served',
        remedy: 'Add http.paths, or a defaultBackend.',
      })
    }
    const options = this.#annotations.of(ingress)
    for (const [pathIndex, written] of paths.entries()) {
      const place = `spec.rules[${ruleIndex}].http.paths[${pathIndex}]`
      const reading = readPath(written, options)
      if (!reading.ok) {
        const message = `${JSON.stringify(written.path ?? '')} ${reading.problem}; this path is left out`
        const remedy = 'Write the path as requests have it.'
        this.#report(ingress, 'error', { reason: 'InvalidPath', path: `${place}.path`, message, remedy })
        continue
      }
      if (looksLikeRegex(written)) this.#reportRegex(ingress, `${place}.path`)
      const { pathType, path, trailingSlash } = reading
      const id = `${objectKey(ingress.metadata)}#${ruleIndex}.${pathIndex}`
      rules.entries.push({ ingress, id, place, pathType, path, trailingSlash, backend: written.backend })
    }
  }

  #addRuleless(ingress: Ingress, named: Set<string>): void {
    if (ingress.spec.defaultBackend != null) {
      named.add('')
      return
    }
    const message = 'has neither rules nor defaultBackend: it serves nothing'
    this.#report(ingress, 'error', {
      reason: 'IngressInvalid',
      path: 'spec',
      message,
      remedy: 'Add rules or a defaultBackend.',
    })
  }

  #reportRegex(ingress: Ingress, path: string): void {
    this.#report(ingress, 'warning', {
      reason: 'PathLooksLikeRegex',
      path,
      message: 'looks like a regular expression, but is taken literally, as a prefix',
      remedy: 'Write it as Prefix or Exact paths.',
    })
  }

  #rulesOf(host: string): HostRules {
    const rules = this.#hosts.get(host) ?? { host, entries: [], defaults: [] }
    this.#hosts.set(host, rules)
    return rules
  }

  #report(ingress: Ingress, severity: 'error' | 'warning', finding: Omit<Finding, 'severity'>): void {
    this.#diagnostics.report(ingress, { severity, ...finding })
  }
}

function defaultEntry(ingress: Ingress, backend: IngressBackend): PathEntry {
  return {
    ingress,
    id: `${objectKey(ingress.metadata)}#default`,
    place: 'spec.defaultBackend',
    pathType: 'Prefix',
    path: '/',
    trailingSlash: true,
    backend,
  }
}
