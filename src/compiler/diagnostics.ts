import type { ObjectReference, Origin } from '../api/object.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import type { Reason } from '../table/reasons.ts'
import { compareText } from './order.ts'

/** A diagnostic but for the object that it is about. */
export interface Finding {
  readonly severity: Diagnostic['severity']
  readonly reason: Reason
  readonly path: string
  readonly message: string
  readonly remedy: string
}

/** Any input object, as far as a diagnostic names it. */
export interface Located {
  readonly kind: string
  readonly metadata: { readonly namespace: string; readonly name: string }
  readonly origin?: Origin | undefined
}

/** A diagnostic and its text, by which two are told apart. */
export type FoundDiagnostic = readonly [text: string, diagnostic: Diagnostic]

const NOTHING_FOUND: readonly FoundDiagnostic[] = []

/** Collects what the passes find. Each finding is kept once, however many routes run into it. */
export class Diagnostics {
  readonly #found = new Map<string, Diagnostic>()

  report(object: Located, finding: Finding): void {
    const { namespace, name } = object.metadata
    this.reportReference({ kind: object.kind, namespace, name }, finding, object.origin)
  }

  /** For objects that are named but not there, or could not be read. */
  reportReference(reference: ObjectReference, finding: Finding, origin?: Origin): void {
    const { severity, reason, path, message, remedy } = finding
    const { kind, namespace, name } = reference
    const diagnostic: Diagnostic = {
      severity,
      reason,
      object: { kind, namespace, name },
      path,
      message,
      remedy,
      ...(origin && { origin: { file: origin.file, line: origin.line } }),
    }
    this.#found.set(JSON.stringify(diagnostic), diagnostic)
  }

  /** An empty collection. */
  fresh(): Diagnostics {
    return new Diagnostics()
  }

  all(): readonly FoundDiagnostic[] {
    return this.#found.size === 0 ? NOTHING_FOUND : [...this.#found]
  }

  /** In the order in which they were found. */
  values(): Diagnostic[] {
    return [...this.#found.values()]
  }

  addAll(found: readonly FoundDiagnostic[]): void {
    for (const [text, diagnostic] of found) this.#found.set(text, diagnostic)
  }

  /** In an order that depends on nothing but the diagnostics themselves. */
  sorted(): Diagnostic[] {
    return [...this.#found.entries()]
      .map(([text, diagnostic]) => ({ key: sortKey(diagnostic), text, diagnostic }))
      .sort((a, b) => compareKeys(a.key, b.key) || compareText(a.text, b.text))
      .map(({ diagnostic }) => diagnostic)
  }
}

function sortKey({ object, path, reason, message }: Diagnostic): string[] {
  return [object.kind, object.namespace, object.name, path, reason, message]
}

function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (const [index, part] of a.entries()) {
    const order = compareText(part, b[index] ?? '')
    if (order !== 0) return order
  }
  return 0
}
