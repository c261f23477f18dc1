import type { IngressClass } from '../api/ingress-class.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Inventory } from './inventory.ts'
import type { CompileOptions } from './options.ts'
import { compareText } from './order.ts'

/** `spec.controller` of the IngressClasses that are ours. */
export const INGRESS_CONTROLLER = 'ostiary.dev/ingress-controller'

const LEGACY_CLASS = 'kubernetes.io/ingress.class'
const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class'

/**
 * The Ingresses that count, oldest first: of a class of ours, not being deleted, and not in a terminating namespace
 * (whose Ingresses live on for a while beside their successors elsewhere).
 */
export function selectIngresses(inventory: Inventory, options: CompileOptions): Ingress[] {
  return inventory.ingresses.filter(
    (ingress) =>
      ingress.metadata.deletionTimestamp == null &&
      !inventory.terminatingNamespaces.has(ingress.metadata.namespace) &&
      isOurs(ingress, inventory, options),
  )
}

function isOurs(ingress: Ingress, inventory: Inventory, options: CompileOptions): boolean {
  const name = ingress.spec.ingressClassName || ingress.metadata.annotations[LEGACY_CLASS]
  if (name) return isOurClass(name, inventory, options)
  if (!options.takeClasslessIngresses) return false
  // In a cluster admission has set the default class long ago, so that the option alone decides there.
  if (ingress.origin === undefined) return true
  const marked = defaultClass(inventory)
  return marked === undefined || marked.spec.controller === INGRESS_CONTROLLER
}

/** An IngressClass of that name decides; without one the configured name does (files, and namespaced installs). */
function isOurClass(name: string, inventory: Inventory, options: CompileOptions): boolean {
  const found = inventory.ingressClasses.get(name)
  if (found === undefined) return name === options.ingressClass
  return found.spec.controller === INGRESS_CONTROLLER
}

function defaultClass(inventory: Inventory): IngressClass | undefined {
  return [...inventory.ingressClasses.values()]
    .filter(({ metadata }) => metadata.annotations[DEFAULT_CLASS] === 'true')
    .sort((a, b) => compareText(a.metadata.name, b.metadata.name))[0]
}
