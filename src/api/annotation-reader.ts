import { nearestName } from './nearest-name.ts'
import type { Problem } from './object.ts'

/** Every annotation of ours begins with this. */
export const ANNOTATION_PREFIX = 'ostiary.dev/'

export interface AnnotationProblem extends Problem {
  readonly reason: 'UnknownAnnotation' | 'EmptyPlugins' | 'InvalidAnnotation' | 'PublicAndPlugins'
}

const MAXIMUM_HINTS = 8
const PLUGIN_NAME = /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/)?[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const DURATION = /^(\d{1,9})(ms|s|m|h)$/
const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const SIZE = /^(\d{1,9})(|Ki|Mi|Gi)$/
const BYTES: Readonly<Record<string, number>> = { '': 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 }

/**
 * Reads the values of one object's annotations. Total: what cannot be read becomes a problem, which closes the object's
 * routes, and the method returns what an absent annotation gives. Names are given without the prefix.
 */
export class AnnotationReader {
  readonly problems: AnnotationProblem[] = []
  readonly #values: Readonly<Record<string, string>>

  /**
   * @param known The closed set of the kind: any other annotation of ours is a problem.
   * @param elsewhere Those that stand on another kind.
   */
  constructor(
    kind: string,
    known: readonly string[],
    values: Readonly<Record<string, string>>,
    elsewhere: { readonly kind: string; readonly known: readonly string[] },
  ) {
    this.#values = values
    for (const name of Object.keys(values).sort()) {
      if (!isOurs(name) || known.some((each) => name === ANNOTATION_PREFIX + each)) continue
      const written = name.slice(ANNOTATION_PREFIX.length)
      if (elsewhere.known.includes(written)) {
        this.report(
          written,
          'UnknownAnnotation',
          `is not known on ${kind}; it stands on the ${elsewhere.kind}`,
        )
        continue
      }
      // Somebody may write ten thousand of them.
      const nearest = this.problems.length < MAXIMUM_HINTS ? nearestName(written, known) : undefined
      const hint = nearest === undefined ? '' : `; did you mean ${ANNOTATION_PREFIX}${nearest}?`
      this.report(written, 'UnknownAnnotation', `is not known on ${kind}${hint}`)
    }
  }

  report(name: string, reason: AnnotationProblem['reason'], message: string): void {
    this.problems.push({ path: `metadata.annotations[${ANNOTATION_PREFIX}${name}]`, reason, message })
  }

  /** The value is not what the annotation takes. @param message Begins with a verb: "must be …". */
  invalid(name: string, message: string): undefined {
    this.report(name, 'InvalidAnnotation', message)
    return undefined
  }

  /** As written, trimmed. */
  text(name: string): string | undefined {
    return this.#values[ANNOTATION_PREFIX + name]?.trim()
  }

  boolean(name: string): boolean | undefined {
    const value = this.text(name)
    if (value === undefined || value === 'true' || value === 'false')
      return value === undefined ? undefined : value === 'true'
    return this.invalid(name, 'must be "true" or "false"')
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    return (
      choices.find((each) => each === value) ?? this.invalid(name, `must be one of ${choices.join(', ')}`)
    )
  }

  wholeNumber(name: string, minimum: number, maximum: number): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (number >= minimum && number <= maximum) return number
    return this.invalid(name, `must be a whole number from ${minimum} to ${maximum}`)
  }

  /** `250ms`, `30s`, `5m` or `1h`, in milliseconds. */
  durationMs(name: string, minimumMs: number, maximumMs: number): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const [, amount = '', unit = ''] = DURATION.exec(value) ?? []
    const durationMs = Number(amount) * (MILLISECONDS[unit] ?? Number.NaN)
    if (durationMs >= minimumMs && durationMs <= maximumMs) return durationMs
    return this.invalid(
      name,
      `must be a time as 250ms, 30s, 5m or 1h, from ${minimumMs}ms to ${maximumMs / 1000}s`,
    )
  }

  /** `512`, `16Ki`, `8Mi` or `1Gi`, in bytes. */
  bytes(name: string, maximum: number): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const [, amount = '', unit = ''] = SIZE.exec(value) ?? ['', '', 'none']
    const bytes = Number(amount) * (BYTES[unit] ?? Number.NaN)
    if (bytes <= maximum) return bytes
    return this.invalid(name, `must be a size as 512, 16Ki, 8Mi or 1Gi, of at most ${maximum} bytes`)
  }

  /** Parted by commas; never empty. */
  list(name: string): readonly string[] | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const items = splitList(value)
    if (items.length > 0) return items
    return this.invalid(name, 'is empty; name at least one, or remove the annotation')
  }

  pluginList(name: string): readonly string[] | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const items = splitList(value)
    if (items.length === 0) {
      this.report(
        name,
        'EmptyPlugins',
        'is empty; name an OIDCPlugin, or set ostiary.dev/public: "true" instead',
      )
      return undefined
    }
    for (const item of items) {
      if (!PLUGIN_NAME.test(item)) this.invalid(name, 'must list names or namespace/name, parted by commas')
    }
    return [...new Set(items)]
  }
}

/** Case does not matter here: `Ostiary.dev/plugins` is a typo too. */
function isOurs(name: string): boolean {
  return name.toLowerCase().startsWith(ANNOTATION_PREFIX)
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
