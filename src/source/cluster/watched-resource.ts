import { API_VERSION } from '../../api/consumer.ts'
import { SECRET_LABEL } from '../../api/secret.ts'

/** One collection of the API server that a reflector follows. */
export interface WatchedResource {
  readonly apiVersion: string
  readonly kind: string
  /** As people name it, for example `ingresses.networking.k8s.io`; unique with the selectors and the namespace. */
  readonly name: string
  readonly path: string
  /** No Role permits it, only a ClusterRole. */
  readonly needsClusterRights: boolean
  /** Selectors of both list and watch. */
  readonly query: Readonly<Record<string, string>>
}

interface Definition {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly query?: Readonly<Record<string, string>>
}

const NAMESPACED: readonly Definition[] = [
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', plural: 'ingresses' },
  { apiVersion: 'v1', kind: 'Service', plural: 'services' },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices' },
  { apiVersion: API_VERSION, kind: 'OIDCPlugin', plural: 'oidcplugins' },
  { apiVersion: API_VERSION, kind: 'Consumer', plural: 'consumers' },
  // No other Secret ever comes into this process.
  { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', query: { labelSelector: `${SECRET_LABEL}=true` } },
  { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', query: { fieldSelector: 'type=kubernetes.io/tls' } },
]
const INGRESS_CLASS: Definition = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
}
const NAMESPACE: Definition = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces' }

/**
 * Everything that is followed: in all namespaces, or in the given ones alone, where the permission to read a role in
 * each of them suffices but for IngressClasses and for the namespaces' own objects.
 *
 * @param hasClusterRights False: these are left out.
 */
export function watchedResources(
  namespaces: readonly string[],
  hasClusterRights = true,
): readonly WatchedResource[] {
  const namespaced = namespaces.flatMap((namespace) => NAMESPACED.map((each) => inNamespace(each, namespace)))
  if (!hasClusterRights) return namespaced
  if (namespaces.length === 0) return [...NAMESPACED, INGRESS_CLASS, NAMESPACE].map((each) => inCluster(each))
  const own = namespaces.map((name) =>
    inCluster({ ...NAMESPACE, query: { fieldSelector: `metadata.name=${name}` } }),
  )
  return [inCluster(INGRESS_CLASS), ...own, ...namespaced]
}

function inCluster(definition: Definition): WatchedResource {
  const path = `${groupPath(definition.apiVersion)}/${definition.plural}`
  return { ...common(definition), path, needsClusterRights: true }
}

function inNamespace(definition: Definition, namespace: string): WatchedResource {
  const resource = common(definition)
  return {
    ...resource,
    needsClusterRights: false,
    name: `${resource.name} in ${namespace}`,
    path: `${groupPath(definition.apiVersion)}/namespaces/${encodeURIComponent(namespace)}/${definition.plural}`,
  }
}

function common({
  apiVersion,
  kind,
  plural,
  query = {},
}: Definition): Omit<WatchedResource, 'path' | 'needsClusterRights'> {
  const [group, version] = apiVersion.split('/')
  const full = version === undefined ? plural : `${plural}.${group}`
  const selectors = Object.values(query)
  return { apiVersion, kind, query, name: selectors.length === 0 ? full : `${full} (${selectors.join()})` }
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}
