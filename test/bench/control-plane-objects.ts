/** An object to be made in a cluster, and the path of its collection. */
export interface BenchObject {
  readonly collection: string
  readonly body: object
}

/** What the objects lead to. */
export interface BenchWorld {
  /** Address of this machine that an EndpointSlice may hold. */
  readonly address: string
  /** The upstream that every slice names at first. */
  readonly port: number
  readonly issuer: string
}

export const CLASS = 'ostiary'
const PER_NAMESPACE = 100
const PER_PLUGIN = 10

/** Names of what belongs to the Ingress of a number. */
export function benchNames(index: number): { namespace: string; app: string; host: string; plugin: string } {
  const app = `app-${String(index).padStart(5, '0')}`
  return {
    namespace: `team-${Math.floor(index / PER_NAMESPACE)}`,
    app,
    host: `${app}.example.com`,
    plugin: `plugin-${Math.floor(index / PER_PLUGIN)}`,
  }
}

/** Paths of the collections of one namespace. */
export function collections(
  namespace: string,
): Record<'ingresses' | 'services' | 'slices' | 'plugins', string> {
  return {
    ingresses: `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`,
    services: `/api/v1/namespaces/${namespace}/services`,
    slices: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    plugins: `/apis/ostiary.dev/v1alpha1/namespaces/${namespace}/oidcplugins`,
  }
}

/** What must be there before the others. */
export function* namespaceObjects(count: number): Generator<BenchObject> {
  const spec = { controller: 'ostiary.dev/ingress-controller' }
  yield {
    collection: '/apis/networking.k8s.io/v1/ingressclasses',
    body: { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: CLASS }, spec },
  }
  for (let index = 0; index < count; index += PER_NAMESPACE) {
    const { namespace: name } = benchNames(index)
    yield {
      collection: '/api/v1/namespaces',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    }
  }
}

/**
 * So many Ingresses, each with a host, a Service and a slice of its own, and a tenth as many plugins. Every second
 * Ingress is guarded by one, the others are open.
 */
export function* benchObjects(from: number, to: number, world: BenchWorld): Generator<BenchObject> {
  for (let index = from; index < to; index += 1) {
    const { namespace, app, plugin } = benchNames(index)
    const paths = collections(namespace)
    if (index % PER_PLUGIN === 0)
      yield { collection: paths.plugins, body: pluginObject(plugin, world.issuer) }
    // Headless, since allocating ten thousand addresses is most of the time otherwise.
    const spec = { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] }
    yield {
      collection: paths.services,
      body: { apiVersion: 'v1', kind: 'Service', metadata: { name: app }, spec },
    }
    yield { collection: paths.slices, body: sliceObject(app, world) }
    yield { collection: paths.ingresses, body: ingressObject(index) }
  }
}

function pluginObject(name: string, issuer: string): object {
  const spec = { issuer, insecureAllowHttp: true, authMethods: ['bearer'], audience: ['api://default'] }
  return { apiVersion: 'ostiary.dev/v1alpha1', kind: 'OIDCPlugin', metadata: { name }, spec }
}

function sliceObject(name: string, { address, port }: BenchWorld): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'http', port, protocol: 'TCP' }],
  }
}

function ingressObject(index: number): object {
  const { app, plugin } = benchNames(index)
  const annotations = index % 2 === 0 ? { 'ostiary.dev/public': 'true' } : { 'ostiary.dev/plugins': plugin }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: app, annotations },
    spec: { ingressClassName: CLASS, rules: [ruleFor(index, '/')] },
  }
}

/** The only rule of an Ingress, with the given path. */
export function ruleFor(index: number, path: string): object {
  const { app, host } = benchNames(index)
  const backend = { service: { name: app, port: { name: 'http' } } }
  return { host, http: { paths: [{ path, pathType: 'Prefix', backend }] } }
}
