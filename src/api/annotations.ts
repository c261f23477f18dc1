import type { Problem } from './object.ts'

/** Every annotation of ours begins with this. */
export const ANNOTATION_PREFIX = 'ostiary.dev/'

/** The closed set. Any other `ostiary.dev/` annotation closes what it stands on: a typo must not open a route. */
export const INGRESS_ANNOTATIONS = [
  'plugins',
  'public',
  'allow-groups',
  'deny-groups',
  'allow-encoded-slash',
  'allow-double-slash',
] as const

/** What a Service may carry: a floor of plugins. */
export const SERVICE_ANNOTATIONS = ['plugins'] as const

/** The annotations of an Ingress or Service, read. */
export interface Annotations {
  /** As written, trimmed: `name` or `namespace/name`. Absent: the annotation is not there. Never empty. */
  readonly plugins?: readonly string[]
  readonly public: boolean
  readonly allowGroups?: readonly string[]
  readonly denyGroups?: readonly string[]
  readonly allowEncodedSlash: boolean
  readonly allowDoubleSlash: boolean
  /** Annotations of other controllers that meant protection. */
  readonly foreignProtection: readonly string[]
  /** Each closes the object's routes. */
  readonly problems: readonly AnnotationProblem[]
}

export interface AnnotationProblem extends Problem {
  readonly reason: 'UnknownAnnotation' | 'EmptyPlugins' | 'InvalidAnnotation' | 'PublicAndPlugins'
}

const NAME = /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/)?[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const FOREIGN_PROTECTION = /^(konghq\.com\/plugins|nginx\.ingress\.kubernetes\.io\/auth-[a-z-]+)$/

/**
 * Reads the annotations of an Ingress or a Service. Total: what cannot be read becomes a problem.
 *
 * @param kind Decides which annotations are known.
 */
export function parseAnnotations(
  kind: 'Ingress' | 'Service',
  annotations: Readonly<Record<string, string>>,
): Annotations {
  const reader = new AnnotationReader(kind, annotations)
  const plugins = reader.pluginList('plugins')
  const isPublic = reader.boolean('public')
  const allowGroups = reader.list('allow-groups')
  const denyGroups = reader.list('deny-groups')
  if (isPublic && annotations[`${ANNOTATION_PREFIX}plugins`] !== undefined) {
    reader.report('public', 'PublicAndPlugins', 'stands beside ostiary.dev/plugins; remove one of the two')
  }
  if (allowGroups !== undefined && denyGroups !== undefined) {
    reader.report(
      'deny-groups',
      'InvalidAnnotation',
      'stands beside ostiary.dev/allow-groups; remove one of the two',
    )
  }
  return {
    ...(plugins && { plugins }),
    public: isPublic,
    ...(allowGroups && { allowGroups }),
    ...(denyGroups && { denyGroups }),
    allowEncodedSlash: reader.boolean('allow-encoded-slash'),
    allowDoubleSlash: reader.boolean('allow-double-slash'),
    foreignProtection: Object.keys(annotations)
      .filter((name) => FOREIGN_PROTECTION.test(name))
      .sort(),
    problems: reader.problems,
  }
}

class AnnotationReader {
  readonly problems: AnnotationProblem[] = []
  readonly #values: Readonly<Record<string, string>>

  constructor(kind: 'Ingress' | 'Service', values: Readonly<Record<string, string>>) {
    this.#values = values
    const known: readonly string[] = kind === 'Ingress' ? INGRESS_ANNOTATIONS : SERVICE_ANNOTATIONS
    for (const name of Object.keys(values).sort()) {
      if (!isOurs(name) || known.some((each) => name === ANNOTATION_PREFIX + each)) continue
      const list = known.map((each) => ANNOTATION_PREFIX + each).join(', ')
      this.report(
        name.slice(ANNOTATION_PREFIX.length),
        'UnknownAnnotation',
        `is not known on ${kind}; known: ${list}`,
      )
    }
  }

  report(name: string, reason: AnnotationProblem['reason'], message: string): void {
    this.problems.push({ path: `metadata.annotations[${ANNOTATION_PREFIX}${name}]`, reason, message })
  }

  boolean(name: string): boolean {
    const value = this.#values[ANNOTATION_PREFIX + name]
    if (value === undefined || value === 'false') return false
    if (value === 'true') return true
    this.report(name, 'InvalidAnnotation', 'must be "true" or "false"')
    return false
  }

  list(name: string): readonly string[] | undefined {
    const value = this.#values[ANNOTATION_PREFIX + name]
    if (value === undefined) return undefined
    const items = splitList(value)
    if (items.length > 0) return items
    this.report(name, 'InvalidAnnotation', 'is empty; name at least one, or remove the annotation')
    return undefined
  }

  pluginList(name: string): readonly string[] | undefined {
    const value = this.#values[ANNOTATION_PREFIX + name]
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
      if (!NAME.test(item))
        this.report(name, 'InvalidAnnotation', 'must list names or namespace/name, parted by commas')
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
