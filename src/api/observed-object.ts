/**
 * What the API server has of an object beside what is compiled. It is kept apart from `Resources`, so that the
 * controller's own writes, which change nothing else, set off no compile.
 */
export interface ObservedObject {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Of Ingress, OIDCPlugin and Consumer only; as it came, not checked. */
  readonly status?: unknown
  /** Of the same kinds: the field managers that own a part of the status (`metadata.managedFields`). */
  readonly statusManagers: readonly string[]
}

/** The kinds whose status Ostiary may write. */
export const STATUS_KINDS: readonly string[] = ['Ingress', 'OIDCPlugin', 'Consumer']

/** Reads a raw object of a known kind. Total; `undefined` where it has no name. */
export function observe(kind: string, raw: unknown): ObservedObject | undefined {
  const { metadata, status } = mapping(raw)
  const { name, namespace, uid, resourceVersion, managedFields } = mapping(metadata)
  if (typeof name !== 'string' || name === '') return undefined
  const common = {
    kind,
    name,
    namespace: text(namespace),
    uid: text(uid),
    resourceVersion: text(resourceVersion),
  }
  if (!STATUS_KINDS.includes(kind)) return { ...common, statusManagers: [] }
  return { ...common, ...(status !== undefined && { status }), statusManagers: managersOf(managedFields) }
}

function managersOf(managedFields: unknown): string[] {
  const entries: unknown[] = Array.isArray(managedFields) ? managedFields : []
  return entries.flatMap((entry) => {
    const { manager, subresource } = mapping(entry)
    return subresource === 'status' && typeof manager === 'string' ? [manager] : []
  })
}

function mapping(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
