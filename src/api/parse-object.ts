import type * as z from 'zod'
import { API_VERSION, consumerSpec, type ParsedSpec } from './consumer.ts'
import { endpointSliceSchema } from './endpoint-slice.ts'
import { ingressClassSchema } from './ingress-class.ts'
import { ingressSchema, type Ingress } from './ingress.ts'
import { namespaceSchema } from './namespace.ts'
import { objectMeta, type ObjectReference, type Problem } from './object.ts'
import { nearestName } from './nearest-name.ts'
import { oidcPluginSpec } from './oidc-plugin.ts'
import type { KubernetesObject } from './resources.ts'
import { salvageHeaders } from './salvage-headers.ts'
import { salvageIngress } from './salvage-ingress.ts'
import { secretSchema } from './secret.ts'
import { serviceSchema } from './service.ts'

/** Somebody may write ten thousand unknown fields. */
const MAXIMUM_HINTS = 8

/** What became of one raw object. */
export type ParseResult =
  | { readonly kind: 'object'; readonly object: KubernetesObject }
  /** A kind that is not read: no problem at all. */
  | { readonly kind: 'ignored' }
  | {
      readonly kind: 'broken'
      readonly reference?: ObjectReference
      readonly problems: readonly Problem[]
      /** Of an Ingress, what can still be read of it: to be closed where no earlier form is known. */
      readonly closes?: Ingress
    }

const CORE_KINDS: Readonly<Record<string, z.ZodType<KubernetesObject>>> = {
  'networking.k8s.io/v1/Ingress': ingressSchema,
  'networking.k8s.io/v1/IngressClass': ingressClassSchema,
  'v1/Service': serviceSchema,
  'v1/Secret': secretSchema,
  'v1/Namespace': namespaceSchema,
  'discovery.k8s.io/v1/EndpointSlice': endpointSliceSchema,
}

/**
 * Reads one object as parsed from YAML or JSON. Fields that are not used are dropped; a spec of our own kinds that is
 * refused still gives an object, so that its status can say so and its routes close.
 *
 * @param raw Anything; `apiVersion` and `kind` decide what it is read as.
 */
export function parseObject(raw: unknown): ParseResult {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return {
      kind: 'broken',
      problems: [{ path: '', message: 'is not a Kubernetes object (a mapping is needed)' }],
    }
  }
  const { apiVersion, kind } = raw as { apiVersion?: unknown; kind?: unknown }
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    const missing = typeof apiVersion === 'string' ? 'kind' : 'apiVersion'
    return { kind: 'broken', problems: [{ path: missing, message: 'is missing; every object needs it' }] }
  }
  if (apiVersion === API_VERSION && (kind === 'OIDCPlugin' || kind === 'Consumer')) return parseOwn(kind, raw)
  const schema = CORE_KINDS[`${apiVersion}/${kind}`]
  if (schema === undefined) return parseUnread(apiVersion, kind, raw)
  const parsed = schema.safeParse(raw)
  if (parsed.success) return { kind: 'object', object: parsed.data }
  return broken(kind, raw, parsed.error)
}

/**
 * A kind of our group that does not exist, or one that is read but in a version or spelling that is not, is a slip that
 * would leave a route open or closed without a word.
 */
function parseUnread(apiVersion: string, kind: string, raw: object): ParseResult {
  if (apiVersion.startsWith('ostiary.dev/')) {
    const message = `does not exist in this group; the kinds are OIDCPlugin and Consumer of ${API_VERSION}`
    return { kind: 'broken', problems: [{ path: 'kind', message }] }
  }
  const group = groupOf(apiVersion)
  const meant = Object.keys(CORE_KINDS).find(
    (each) =>
      each.toLowerCase().endsWith(`/${kind.toLowerCase()}`) &&
      groupOf(each.slice(0, -kind.length - 1)) === group,
  )
  if (meant === undefined) return { kind: 'ignored' }
  const read = meant.slice(-kind.length)
  const problem =
    read === kind
      ? {
          path: 'apiVersion',
          message: `is not a version of ${kind} that is read; use ${meant.slice(0, -kind.length - 1)}`,
        }
      : { path: 'kind', message: `is ${kind}; write ${read}` }
  return { kind: 'broken', ...referenceOf(read, raw), problems: [problem], ...closesOf(read, raw) }
}

/** The group without its version, also where that was forgotten; `extensions` is where Ingress was before 1.14. */
function groupOf(apiVersion: string): string {
  const [group = '', version] = apiVersion.split('/')
  if (version === undefined) return group.includes('.') ? group : ''
  return group === 'extensions' ? 'networking.k8s.io' : group
}

function parseOwn(kind: 'OIDCPlugin' | 'Consumer', raw: object): ParseResult {
  const { metadata, spec } = raw as { metadata?: unknown; spec?: unknown }
  const meta = objectMeta.safeParse(metadata)
  if (!meta.success) return broken(kind, raw, meta.error, ['metadata'])
  const metadataRead = meta.data
  const object: KubernetesObject =
    kind === 'OIDCPlugin'
      ? { kind, metadata: metadataRead, spec: parseSpec(oidcPluginSpec, spec) }
      : { kind, metadata: metadataRead, spec: parseSpec(consumerSpec, spec) }
  return { kind: 'object', object }
}

function parseSpec<T>(schema: z.ZodType<T> & { readonly shape: object }, spec: unknown): ParsedSpec<T> {
  const parsed = schema.safeParse(spec ?? {})
  if (parsed.success) return { ok: true, value: parsed.data }
  const problems = problemsOf(parsed.error, ['spec'], Object.keys(schema.shape))
  return { ok: false, problems, headers: salvageHeaders(spec) }
}

function broken(kind: string, raw: object, error: z.ZodError, prefix: PropertyKey[] = []): ParseResult {
  return {
    kind: 'broken',
    ...referenceOf(kind, raw),
    problems: problemsOf(error, prefix),
    ...closesOf(kind, raw),
  }
}

function closesOf(kind: string, raw: object): { readonly closes?: Ingress } {
  const closes = kind === 'Ingress' ? salvageIngress(raw, 'The Ingress cannot be read.') : undefined
  return closes === undefined ? {} : { closes }
}

function referenceOf(kind: string, raw: object): { readonly reference?: ObjectReference } {
  const { metadata } = raw as { metadata?: { name?: unknown; namespace?: unknown } | null }
  if (typeof metadata?.name !== 'string') return {}
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : ''
  return { reference: { kind, namespace, name: metadata.name } }
}

/** @param fields The known ones at the prefix itself. */
function problemsOf(
  error: z.ZodError,
  prefix: readonly PropertyKey[],
  fields: readonly string[] = [],
): Problem[] {
  return error.issues.flatMap((issue) => {
    const place = [...prefix, ...issue.path]
    if (issue.code !== 'unrecognized_keys') return [{ path: pathText(place), message: messageOf(issue) }]
    const known = issue.path.length === 0 ? fields : []
    return issue.keys.map((key, index) => ({
      path: pathText([...place, key]),
      message: unknownField(index < MAXIMUM_HINTS ? nearestName(key, known) : undefined),
    }))
  })
}

function unknownField(nearest: string | undefined): string {
  const message = 'is not a known field; remove it, or mend its spelling'
  return nearest === undefined ? message : `${message} (did you mean ${nearest}?)`
}

/** What zod says never holds the value, since `reportInput` is off. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) return typeMessage(issue)
  if (issue.code === 'too_small' && issue.message.startsWith('Too small')) return tooSmall(issue)
  if (issue.code === 'too_big' && issue.message.startsWith('Too big'))
    return `must be ${issue.maximum} or less${UNITS[issue.origin] ?? ''}`
  if (issue.code === 'invalid_value')
    return `must be ${issue.values.map((each) => JSON.stringify(each)).join(' or ')}`
  return issue.message
}

function typeMessage({ expected, message }: z.core.$ZodIssueInvalidType): string {
  if (message.endsWith('received undefined')) return 'is missing'
  const isUnquoted = expected === 'string' && /received (boolean|number)$/.test(message)
  return `must be of type ${expected}${isUnquoted ? '; put it in quotes' : ''}`
}

function tooSmall({ minimum, origin }: z.core.$ZodIssueTooSmall): string {
  if (Number(minimum) === 1 && origin !== 'number') return 'must not be empty'
  return `must be ${minimum} or more${UNITS[origin] ?? ''}`
}

/** What is counted, where it is no number. */
const UNITS: Readonly<Record<string, string>> = { array: ' items', string: ' characters' }

function pathText(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text === '' ? String(part) : `.${String(part)}`
  }
  return text
}
