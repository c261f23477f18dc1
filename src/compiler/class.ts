import type { IngressClass } from '../api/ingress-class.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Inventory } from './inventory.ts'
import type { CompileOptions } from './options.ts'
import { compareText } from './order.ts'

const DEFAULT_CONTROLLER = 'ostiary.dev/ingress-controller'
/** Every installation of Ostiary has a `spec.controller` of its own, which begins so. */
const CONTROLLERS = 'ostiary.dev/'

const LEGACY_CLASS = 'kubernetes.io/ingress.class'
const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class'

/**
 * The Ingresses that count, oldest first: of a class of ours, not being deleted, and not in a terminating namespace
 * (whose Ingresses live on for a while beside their successors elsewhere).
 */
export function selectIngresses(inventory: Inventory, options: CompileOptions): Ingress[] {
  return inventory.ingresses.filter(
    (ingress) => isCounting(ingress, inventory) && isOurs(ingress, inventory, options),
  )
}

/** Tells why Ingresses of the configured class are not served, where its IngressClass has to be there and is not. */
export function reportMissingClass(
  { ingresses, ingressClasses }: Inventory,
  { requireIngressClass, ingressClass: name }: CompileOptions,
  diagnostics: Diagnostics,
): void {
  if (requireIngressClass !== true || ingressClasses.has(name)) return
  if (!ingresses.some((ingress) => classNameOf(ingress) === name)) return
  diagnostics.reportReference(
    { kind: 'IngressClass', namespace: '', name },
    {
      severity: 'warning',
      reason: 'IngressClassNotFound',
      path: '',
      message: "is not there, but Ingresses name it: they are nobody's",
      remedy: 'Create the IngressClass with our spec.controller, or name the right class in --ingress-class.',
    },
  )
}

/**
 * The Ingresses that count for another installation of Ostiary in the same cluster, oldest first. Nothing is known of
 * those where IngressClasses are not read.
 */
export function selectSiblingIngresses(inventory: Inventory, options: CompileOptions): Ingress[] {
  const siblings = new Set(
    [...inventory.ingressClasses.values()]
      .filter(
        ({ spec }) => spec.controller.startsWith(CONTROLLERS) && spec.controller !== controllerOf(options),
      )
      .map(({ metadata }) => metadata.name),
  )
  if (siblings.size === 0) return []
  return inventory.ingresses.filter(
    (ingress) => siblings.has(classNameOf(ingress)) && isCounting(ingress, inventory),
  )
}

function isCounting({ metadata }: Ingress, { terminatingNamespaces }: Inventory): boolean {
  return metadata.deletionTimestamp == null && !terminatingNamespaces.has(metadata.namespace)
}

/** Empty: it has none. */
function classNameOf({ spec, metadata }: Ingress): string {
  return spec.ingressClassName || (metadata.annotations[LEGACY_CLASS] ?? '')
}

function controllerOf({ controllerClass = DEFAULT_CONTROLLER }: CompileOptions): string {
  return controllerClass
}

function isOurs(ingress: Ingress, inventory: Inventory, options: CompileOptions): boolean {
  const name = classNameOf(ingress)
  if (name !== '') return isOurClass(name, inventory, options)
  if (!options.takeClasslessIngresses) return false
  // In a cluster admission has set the default class long ago, so that the option alone decides there.
  if (ingress.origin === undefined) return true
  const marked = defaultClass(inventory)
  return marked === undefined || marked.spec.controller === controllerOf(options)
}

/**
 * The controller of the IngressClass of that name decides. Without the object the configured name does, but not where
 * it could be seen: two installations that go by one name would both serve what nobody has claimed.
 */
function isOurClass(name: string, inventory: Inventory, options: CompileOptions): boolean {
  const found = inventory.ingressClasses.get(name)
  if (found === undefined) return options.requireIngressClass !== true && name === options.ingressClass
  return found.spec.controller === controllerOf(options)
}

function defaultClass(inventory: Inventory): IngressClass | undefined {
  return [...inventory.ingressClasses.values()]
    .filter(({ metadata }) => metadata.annotations[DEFAULT_CLASS] === 'true')
    .sort((a, b) => compareText(a.metadata.name, b.metadata.name))[0]
}
