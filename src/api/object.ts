import * as z from 'zod'

/** Where an object was read, in directory sources: file path as given, and 1-based line of the document. */
export interface Origin {
  readonly file: string
  readonly line: number
}

/** What identifies an object for people and diagnostics. `namespace` is empty for cluster-scoped kinds. */
export interface ObjectReference {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** One reason why an object, or a part of it, was not taken. */
export interface Problem {
  /** JSONPath-like place inside the object, for example `spec.scopes[0]`; empty for the whole object. */
  readonly path: string
  /** What is wrong and how to mend it. Never holds a secret. */
  readonly message: string
}

/** Written by kubectl, as large as the object itself, and read by nobody here. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

const stringMap = z.record(z.string(), z.string()).default({})

/**
 * The metadata fields that are read.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
export const objectMeta = z.object({
  name: z.string().min(1).max(253),
  namespace: z.string().max(63).default(''),
  uid: z.string().default(''),
  /** RFC 3339; absent in files, which sort after every object that has one. */
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().nullish(),
  generation: z.number().int().default(0),
  resourceVersion: z.string().default(''),
  labels: stringMap,
  annotations: stringMap.transform(({ [LAST_APPLIED]: _, ...rest }) => rest),
})

export type ObjectMeta = z.output<typeof objectMeta>

/** `namespace/name`, or `name` for cluster-scoped kinds: the key of an object among those of its kind. */
export function objectKey(meta: { readonly namespace: string; readonly name: string }): string {
  return meta.namespace === '' ? meta.name : `${meta.namespace}/${meta.name}`
}
