import type { BrokenInput, KubernetesObject, Resources } from '../api/resources.ts'

type ByKind = { readonly [K in KubernetesObject['kind']]: Extract<KubernetesObject, { kind: K }>[] }

/** Sorts objects into their lists by kind. The order inside each list is the given one. */
export function collectResources(
  objects: Iterable<KubernetesObject>,
  broken: readonly BrokenInput[],
): Resources {
  const byKind: ByKind = {
    Ingress: [],
    IngressClass: [],
    Service: [],
    EndpointSlice: [],
    Secret: [],
    Namespace: [],
    OIDCPlugin: [],
    Consumer: [],
  }
  for (const object of objects) (byKind[object.kind] as KubernetesObject[]).push(object)
  return {
    ingresses: byKind.Ingress,
    ingressClasses: byKind.IngressClass,
    services: byKind.Service,
    endpointSlices: byKind.EndpointSlice,
    secrets: byKind.Secret,
    namespaces: byKind.Namespace,
    oidcPlugins: byKind.OIDCPlugin,
    consumers: byKind.Consumer,
    broken,
  }
}
