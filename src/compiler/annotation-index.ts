import type { AnnotationProblem } from '../api/annotation-reader.ts'
import { parseAnnotations, type Annotations } from '../api/annotations.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Service } from '../api/service.ts'
import type { CompileMemo } from './compile-memo.ts'
import type { Diagnostics } from './diagnostics.ts'

const REMEDIES: Readonly<Record<AnnotationProblem['reason'], string>> = {
  UnknownAnnotation: 'Correct the name, or remove the annotation.',
  EmptyPlugins: 'Name an OIDCPlugin, or remove the annotation.',
  InvalidAnnotation: 'Correct the value.',
  PublicAndPlugins: 'Keep one of the two.',
}

/** The annotations of Ingresses and of the Services that routes lead to, each read and reported once. */
export class AnnotationIndex {
  readonly #diagnostics: Diagnostics
  readonly #memo: CompileMemo
  readonly #reported = new Set<Ingress | Service>()

  constructor(diagnostics: Diagnostics, memo: CompileMemo) {
    this.#diagnostics = diagnostics
    this.#memo = memo
  }

  of(object: Ingress | Service): Annotations {
    const annotations = this.#parse(object)
    if (annotations.problems.length === 0 || this.#reported.has(object)) return annotations
    this.#reported.add(object)
    for (const { reason, path, message } of annotations.problems) {
      this.#diagnostics.report(object, { severity: 'error', reason, path, message, remedy: REMEDIES[reason] })
    }
    return annotations
  }

  #parse(object: Ingress | Service): Annotations {
    const known = this.#memo.annotations.get(object)
    if (known !== undefined) return known
    const annotations = parseAnnotations(object.kind, object.metadata.annotations)
    this.#memo.annotations.set(object, annotations)
    return annotations
  }
}
