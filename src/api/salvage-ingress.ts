import type { Ingress } from './ingress.ts'

type Rule = Ingress['spec']['rules'][number]
type Path = NonNullable<Rule['http']>['paths'][number]

const PATH_TYPES = ['Exact', 'Prefix', 'ImplementationSpecific'] as const

/**
 * What can still be read of an Ingress that is refused: the hosts and paths that it would have had. Its routes are
 * closed there, for without them requests would fall to a shorter route, which may be open. Total; `undefined` where
 * nothing says which paths were meant. Backends, TLS sections and labels are left out, since nothing is served.
 *
 * @param refused Why it is refused, for people.
 */
export function salvageIngress(raw: object, refused: string): Ingress | undefined {
  const { metadata, spec } = raw as { metadata?: unknown; spec?: unknown }
  if (!isMapping(spec)) return undefined
  const meta = isMapping(metadata) ? metadata : {}
  const rules = list(spec['rules']).flatMap(salvageRule)
  const hasDefault = isMapping(spec['defaultBackend'] ?? spec['backend'])
  if (rules.length === 0 && !hasDefault) return undefined
  return {
    kind: 'Ingress',
    metadata: {
      name: text(meta['name']) ?? '',
      namespace: text(meta['namespace']) ?? '',
      uid: '',
      creationTimestamp: text(meta['creationTimestamp']),
      deletionTimestamp: text(meta['deletionTimestamp']),
      generation: 0,
      resourceVersion: '',
      labels: {},
      annotations: texts(meta['annotations']),
    },
    spec: {
      ingressClassName: text(spec['ingressClassName']),
      ...(hasDefault && { defaultBackend: {} }),
      tls: [],
      rules,
    },
    refused,
  }
}

function salvageRule(raw: unknown): Rule[] {
  if (!isMapping(raw)) return []
  const host = raw['host'] ?? ''
  if (typeof host !== 'string') return []
  const http = isMapping(raw['http']) ? raw['http'] : {}
  return [{ host, http: { paths: list(http['paths']).flatMap(salvagePath) } }]
}

function salvagePath(raw: unknown): Path[] {
  if (!isMapping(raw)) return []
  const written = raw['path'] ?? ''
  if (typeof written !== 'string' && typeof written !== 'number') return []
  const pathType = PATH_TYPES.find((each) => each === raw['pathType']) ?? 'Prefix'
  return [{ path: String(written), pathType, backend: {} }]
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function texts(value: unknown): Record<string, string> {
  const entries = isMapping(value) ? Object.entries(value) : []
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
