import type { Logger } from 'pino'
import type { Diagnostic } from '../table/diagnostic.ts'

const LEVELS = { error: 'error', warning: 'warn', info: 'info' } as const

/**
 * Logs diagnostics as they come and go: each once when it is new, and once when it is gone. A compile after every
 * change would repeat hundreds of lines otherwise.
 */
export class DiagnosticLog {
  readonly #logger: Logger
  readonly #keys = new WeakMap<Diagnostic, string>()
  #last: readonly Diagnostic[] = []
  #known: ReadonlyMap<string, Diagnostic> = new Map()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Takes all diagnostics of the last compile. */
  update(diagnostics: readonly Diagnostic[]): void {
    if (diagnostics === this.#last) return
    this.#last = diagnostics
    const now = new Map(diagnostics.map((diagnostic) => [this.#keyOf(diagnostic), diagnostic]))
    for (const [key, diagnostic] of now) {
      if (!this.#known.has(key))
        this.#logger[LEVELS[diagnostic.severity]](fieldsOf(diagnostic), diagnostic.message)
    }
    for (const [key, diagnostic] of this.#known) {
      if (!now.has(key)) this.#logger.info(fieldsOf(diagnostic), 'no longer so: ' + diagnostic.message)
    }
    this.#known = now
  }

  /** Without the origin: a document that moves down a line is no news. Most diagnostics stay from compile to compile. */
  #keyOf(diagnostic: Diagnostic): string {
    const known = this.#keys.get(diagnostic)
    if (known !== undefined) return known
    const { severity, reason, object, path, message } = diagnostic
    const key = JSON.stringify([severity, reason, object.kind, object.namespace, object.name, path, message])
    this.#keys.set(diagnostic, key)
    return key
  }
}

function fieldsOf({ reason, object, path, remedy, origin }: Diagnostic): object {
  return { reason, object, path, remedy, ...(origin && { origin }) }
}
