import type { Consumer } from './consumer.ts'
import type { EndpointSlice } from './endpoint-slice.ts'
import type { IngressClass } from './ingress-class.ts'
import type { Ingress } from './ingress.ts'
import type { Namespace } from './namespace.ts'
import type { ObjectReference, Origin, Problem } from './object.ts'
import type { OIDCPlugin } from './oidc-plugin.ts'
import type { Secret } from './secret.ts'
import type { Service } from './service.ts'

/** Any object that is read. */
export type KubernetesObject =
  Ingress | IngressClass | Service | EndpointSlice | Secret | Namespace | OIDCPlugin | Consumer

/** An input that could not be taken at all: not YAML, or not an object of its kind. */
export interface BrokenInput {
  readonly reference?: ObjectReference
  readonly origin?: Origin
  readonly problems: readonly Problem[]
  /** An Ingress that was never good, as far as it can be read: its routes are closed. */
  readonly closes?: Ingress
}

/** The complete, immutable input of one compile. No order is promised in any list. */
export interface Resources {
  readonly ingresses: readonly Ingress[]
  readonly ingressClasses: readonly IngressClass[]
  readonly services: readonly Service[]
  readonly endpointSlices: readonly EndpointSlice[]
  readonly secrets: readonly Secret[]
  readonly namespaces: readonly Namespace[]
  readonly oidcPlugins: readonly OIDCPlugin[]
  readonly consumers: readonly Consumer[]
  /** Reported as diagnostics; where an earlier good version was known, the source still lists that one above. */
  readonly broken: readonly BrokenInput[]
}
