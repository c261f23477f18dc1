import type { Consumer } from '../api/consumer.ts'
import type { EndpointSlice } from '../api/endpoint-slice.ts'
import type { IngressClass } from '../api/ingress-class.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Namespace } from '../api/namespace.ts'
import { objectKey, type ObjectMeta } from '../api/object.ts'
import type { OIDCPlugin } from '../api/oidc-plugin.ts'
import type { KubernetesObject, Resources } from '../api/resources.ts'
import type { Secret } from '../api/secret.ts'
import type { Service } from '../api/service.ts'
import type { CompileMemo } from './compile-memo.ts'
import type { Diagnostics } from './diagnostics.ts'
import { byName, compareText, sortedByAge } from './order.ts'
import type { Lookup } from './pass-memo.ts'

/** The resources, indexed for the passes: each object once, every list in a fixed order. */
export interface Inventory {
  /** Oldest first; those that are refused too, whose routes are closed. */
  readonly ingresses: readonly Ingress[]
  readonly ingressClasses: ReadonlyMap<string, IngressClass>
  /** By `namespace/name`, as are the others. */
  readonly services: ReadonlyMap<string, Service>
  /** By the `namespace/name` of the Service that they belong to. */
  readonly endpointSlices: ReadonlyMap<string, readonly EndpointSlice[]>
  readonly secrets: ReadonlyMap<string, Secret>
  /** Oldest first. */
  readonly oidcPlugins: ReadonlyMap<string, OIDCPlugin>
  readonly consumers: readonly Consumer[]
  readonly terminatingNamespaces: ReadonlySet<string>
}

/** What virtual hosts are compiled from beside their rules: asked by name only, so that it is known what they need. */
export interface HostInventory extends SecretInventory {
  readonly services: Lookup<Service>
  readonly endpointSlices: Lookup<readonly EndpointSlice[]>
}

/** Likewise what plugins are compiled from. */
export interface SecretInventory {
  readonly secrets: Lookup<Secret>
}

/** The label that joins a slice to its Service; nothing else does, so that hand-made slices count. */
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'

/** RFC 1123 names. A `/` in a name would make the keys of two objects equal. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/
const NAMESPACE = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$/

/**
 * Indexes the resources; objects with impossible names and second objects of one name are reported and left out. What
 * is made of a kind stays one object for as long as no object of the kind changes.
 */
export function takeInventory(resources: Resources, memo: CompileMemo, diagnostics: Diagnostics): Inventory {
  const { ingresses, broken } = resources
  const closing = broken.flatMap(({ closes }) => closes ?? [])
  const take = <Taken>(
    name: string,
    objects: readonly KubernetesObject[],
    pass: (found: Diagnostics) => Taken,
  ): Taken => memo.list(name, objects, diagnostics, pass)
  return {
    ingresses: take('ingresses', [...ingresses, ...closing], (found) =>
      takeIngresses(ingresses, closing, found),
    ),
    ingressClasses: take('ingressClasses', resources.ingressClasses, (found) =>
      byKey(distinct(resources.ingressClasses, found)),
    ),
    services: take('services', resources.services, (found) => byKey(distinct(resources.services, found))),
    endpointSlices: take('endpointSlices', resources.endpointSlices, (found) =>
      slicesByService(distinct(resources.endpointSlices, found), memo),
    ),
    secrets: take('secrets', resources.secrets, (found) => byKey(distinct(resources.secrets, found))),
    oidcPlugins: take('oidcPlugins', resources.oidcPlugins, (found) =>
      byKey(sortedByAge(distinct(resources.oidcPlugins, found))),
    ),
    consumers: take('consumers', resources.consumers, (found) => distinct(resources.consumers, found)),
    terminatingNamespaces: take('namespaces', resources.namespaces, (found) =>
      terminating(distinct(resources.namespaces, found)),
    ),
  }
}

function terminating(namespaces: readonly Namespace[]): Set<string> {
  return new Set(
    namespaces
      .filter(({ metadata, status }) => status.phase === 'Terminating' || metadata.deletionTimestamp != null)
      .map(({ metadata }) => metadata.name),
  )
}

/** A second Ingress of a name stands behind the first, so that it closes only what the first does not have. */
function takeIngresses(
  ingresses: readonly Ingress[],
  broken: readonly Ingress[],
  diagnostics: Diagnostics,
): Ingress[] {
  const refused = [...broken]
  const taken = distinct(ingresses, diagnostics, (each, reason) => refused.push({ ...each, refused: reason }))
  // A namespace that cannot be is nobody's: hosts must not be owned from there.
  const closing = refused.filter(({ metadata }) => NAMESPACE.test(metadata.namespace)).sort(byPlace)
  return sortedByAge([...taken, ...closing.map((each) => ({ ...each, spec: { ...each.spec, tls: [] } }))])
}

/** Inputs that could not be taken at all. */
export function reportBroken(resources: Resources, diagnostics: Diagnostics): void {
  for (const { reference, origin, problems } of resources.broken) {
    for (const { path, message } of problems) {
      diagnostics.reportReference(
        reference ?? { kind: '', namespace: '', name: '' },
        { severity: 'error', reason: 'InvalidManifest', path, message, remedy: 'Correct the object.' },
        origin,
      )
    }
  }
}

/** @param leftOut Given each object that is not in the result, with the reason. */
function distinct<T extends KubernetesObject>(
  objects: readonly T[],
  diagnostics: Diagnostics,
  leftOut: (object: T, reason: string) => void = () => {},
): T[] {
  const groups = new Map<string, [T, ...T[]]>()
  for (const object of objects) {
    if (!hasValidName(object.metadata)) {
      diagnostics.report(object, {
        severity: 'error',
        reason: 'InvalidName',
        path: 'metadata',
        message: 'has a name or namespace that Kubernetes does not allow; the object is left out',
        remedy: 'Use lower-case letters, digits, - and . only.',
      })
      leftOut(object, 'The Ingress has an impossible name.')
      continue
    }
    const key = objectKey(object.metadata)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [object])
    else group.push(object)
  }
  const taken: T[] = []
  for (const group of groups.values()) taken.push(firstOf(group, diagnostics, leftOut))
  return taken.sort(byName)
}

function hasValidName({ name, namespace }: ObjectMeta): boolean {
  return NAME.test(name) && NAMESPACE.test(namespace)
}

function firstOf<T extends KubernetesObject>(
  group: readonly [T, ...T[]],
  diagnostics: Diagnostics,
  leftOut: (object: T, reason: string) => void,
): T {
  const [only] = group
  if (group.length === 1) return only
  const [first = only, ...others] = [...group].sort(byPlace)
  for (const other of others) {
    diagnostics.report(other, {
      severity: 'error',
      reason: 'DuplicateObject',
      path: 'metadata.name',
      message: `is there ${group.length} times; the one that comes first by file and line counts`,
      remedy: 'Remove or rename the others.',
    })
    leftOut(other, 'Another Ingress has its name.')
  }
  return first
}

function byPlace(a: KubernetesObject, b: KubernetesObject): number {
  return (
    compareText(a.origin?.file ?? '', b.origin?.file ?? '') ||
    (a.origin?.line ?? 0) - (b.origin?.line ?? 0) ||
    compareText(wholeText(a), wholeText(b))
  )
}

/** For comparing only: secret values are revealed here, else the choice between two Secrets would be by chance. */
function wholeText(object: KubernetesObject): string {
  const values = object.kind === 'Secret' ? Object.entries(object.values) : []
  const revealed = values.map(([key, value]) => JSON.stringify([key, value.reveal()]))
  return JSON.stringify([object, revealed.sort(compareText)])
}

function byKey<T extends KubernetesObject>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [objectKey(object.metadata), object]))
}

/** Each list stays the same where its slices do. */
function slicesByService(
  slices: readonly EndpointSlice[],
  memo: CompileMemo,
): Map<string, readonly EndpointSlice[]> {
  const byService = new Map<string, EndpointSlice[]>()
  for (const slice of slices) {
    const name = slice.metadata.labels[SERVICE_NAME_LABEL]
    if (name === undefined) continue
    const key = objectKey({ namespace: slice.metadata.namespace, name })
    const list = byService.get(key)
    if (list === undefined) byService.set(key, [slice])
    else list.push(slice)
  }
  return new Map([...byService].map(([key, list]) => [key, memo.sameSlices(list)]))
}
