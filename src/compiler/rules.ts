import type { Ingress, IngressBackend, IngressPath } from '../api/ingress.ts'
import { objectKey } from '../api/object.ts'
import { AnnotationIndex } from './annotation-index.ts'
import type { CompileMemo } from './compile-memo.ts'
import type { Diagnostics, Finding } from './diagnostics.ts'
import { guessPath } from './guess-path.ts'
import type { HostOwners } from './host-ownership.ts'
import { guessHost, hostProblem } from './host.ts'
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
  /** Why it is closed, whatever guards it; absent: it is as it should be. */
  readonly refused?: string
  /** The path is not as written, but where requests for that would go. */
  readonly isGuess: boolean
}

/** What the Ingresses say of one host; both lists oldest Ingress first, then as written. */
export interface HostRules {
  readonly host: string
  readonly entries: PathEntry[]
  readonly defaults: PathEntry[]
}

type Rule = Ingress['spec']['rules'][number]
type WrittenPath = Pick<PathEntry, 'pathType' | 'path' | 'trailingSlash' | 'isGuess' | 'refused'>

interface TakenHost {
  readonly host: string
  /** Why it is not the host as written. */
  readonly refused?: string
}

/**
 * Sorts the rules of the Ingresses by host. A rule whose host or path cannot be taken is reported, and closed where it
 * was probably meant to be: left out, its requests would fall to a shorter route or to a wildcard, which may be open.
 * A host that is named is listed even if nothing is left of its paths, so that no other host's routes answer for it.
 *
 * @param ingresses Oldest first.
 */
export function collectRules(
  ingresses: readonly Ingress[],
  owners: HostOwners,
  memo: CompileMemo,
  diagnostics: Diagnostics,
): HostRules[] {
  const hosts = new JoinedRules()
  const surroundings = { sources: { owners }, diagnostics }
  for (const ingress of ingresses) {
    const ofIngress = memo.rules.run(
      objectKey(ingress.metadata),
      [ingress],
      surroundings,
      (sources, found) => {
        const annotations = new AnnotationIndex(found, memo)
        return new RuleCollector(owners.through(sources.owners), annotations, found).collect(ingress)
      },
    )
    for (const rules of ofIngress) hosts.add(rules)
  }
  return hosts.sorted()
}

/** Puts together what several Ingresses say of one host. What one alone says stays the object that it is. */
class JoinedRules {
  readonly #hosts = new Map<string, HostRules>()
  readonly #joined = new Set<HostRules>()

  add(rules: HostRules): void {
    const before = this.#hosts.get(rules.host)
    if (before === undefined) {
      this.#hosts.set(rules.host, rules)
      return
    }
    const joined = this.#joined.has(before) ? before : this.#copy(before)
    joined.entries.push(...rules.entries)
    joined.defaults.push(...rules.defaults)
  }

  sorted(): HostRules[] {
    return [...this.#hosts.values()].sort((a, b) => compareText(a.host, b.host))
  }

  #copy({ host, entries, defaults }: HostRules): HostRules {
    const copy = { host, entries: [...entries], defaults: [...defaults] }
    this.#hosts.set(host, copy)
    this.#joined.add(copy)
    return copy
  }
}

/** Collects the rules of one Ingress. */
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

  collect(ingress: Ingress): readonly HostRules[] {
    const named = new Set<string>()
    for (const [index, rule] of ingress.spec.rules.entries()) {
      const taken = this.#takeHost(ingress, rule, index)
      if (taken === undefined) continue
      if (taken.refused === undefined) named.add(taken.host)
      this.#addPaths(ingress, rule, index, taken)
    }
    if (ingress.spec.rules.length === 0) this.#addRuleless(ingress, named)
    const backend = ingress.spec.defaultBackend
    if (backend != null) {
      for (const host of named) this.#rulesOf(host).defaults.push(defaultEntry(ingress, backend))
    }
    return [...this.#hosts.values()]
  }

  #takeHost(ingress: Ingress, rule: Rule, index: number): TakenHost | undefined {
    const written = rule.host ?? ''
    const path = `spec.rules[${index}].host`
    const problem = written === '' ? undefined : hostProblem(written)
    const host = problem === undefined ? written : guessHost(written)
    if (problem !== undefined) {
      const outcome = host === undefined ? 'the rule is left out' : `its paths answer 503 on ${host}`
      const message = `${JSON.stringify(written)} ${problem}; ${outcome}`
      this.#report(ingress, 'error', { reason: 'InvalidHost', path, message, remedy: 'Correct the host.' })
    }
    if (host === undefined || !this.#owners.admits(ingress, host, path, this.#diagnostics)) return undefined
    return { host, ...(problem !== undefined && { refused: `Its host ${problem}.` }) }
  }

  #addPaths(ingress: Ingress, rule: Rule, ruleIndex: number, { host, refused }: TakenHost): void {
    const rules = this.#rulesOf(host)
    const paths = rule.http?.paths ?? []
    if (paths.length === 0 && ingress.spec.defaultBackend == null) this.#reportNoPath(ingress, ruleIndex)
    for (const [pathIndex, written] of paths.entries()) {
      const place = `spec.rules[${ruleIndex}].http.paths[${pathIndex}]`
      const id = `${objectKey(ingress.metadata)}#${ruleIndex}.${pathIndex}`
      const why = ingress.refused ?? refused
      for (const path of this.#readPath(ingress, written, `${place}.path`)) {
        const isGuess = path.isGuess || refused !== undefined
        const closing = why === undefined ? {} : { refused: why }
        rules.entries.push({ ingress, id, place, backend: written.backend, ...closing, ...path, isGuess })
      }
    }
  }

  /** Usually one. A path that cannot be taken is closed where it was probably meant to be. */
  #readPath(ingress: Ingress, written: IngressPath, place: string): WrittenPath[] {
    const annotations = this.#annotations.of(ingress)
    const reading = readPath(written, annotations)
    const guess = {
      pathType: written.pathType === 'Exact' ? 'Exact' : 'Prefix',
      path: guessPath(written.path ?? ''),
      trailingSlash: false,
      isGuess: true,
    } as const
    if (!reading.ok) {
      const message = `${JSON.stringify(written.path ?? '')} ${reading.problem}; ${guess.path} answers 503 for it`
      const remedy = 'Write the path as requests have it.'
      this.#report(ingress, 'error', { reason: 'InvalidPath', path: place, message, remedy })
      return [{ ...guess, refused: `Its path ${reading.problem}.` }]
    }
    const { pathType, path, trailingSlash } = reading
    const literal = { pathType, path, trailingSlash, isGuess: false }
    if (!looksLikeRegex(written)) return [literal]
    const isGuarded = annotations.plugins !== undefined
    this.#reportRegex(ingress, place, isGuarded ? guess.path : undefined)
    return isGuarded
      ? [literal, { ...guess, refused: 'Its path looks like a regular expression.' }]
      : [literal]
  }

  #reportNoPath(ingress: Ingress, ruleIndex: number): void {
    this.#report(ingress, 'warning', {
      reason: 'RuleWithoutBackend',
      path: `spec.rules[${ruleIndex}]`,
      message: 'has no path, and the Ingress no defaultBackend: nothing is served',
      remedy: 'Add http.paths, or a defaultBackend.',
    })
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

  /** @param closed What answers 503 because the plugins of the Ingress would not guard it otherwise. */
  #reportRegex(ingress: Ingress, path: string, closed: string | undefined): void {
    const outcome = closed === undefined ? '' : `; as its plugins would not guard ${closed}, that answers 503`
    this.#report(ingress, closed === undefined ? 'warning' : 'error', {
      reason: 'PathLooksLikeRegex',
      path,
      message: `looks like a regular expression, but is taken literally, as a prefix${outcome}`,
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
    isGuess: false,
    ...(ingress.refused !== undefined && { refused: ingress.refused }),
  }
}
