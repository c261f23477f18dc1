import { stringify } from 'yaml'

/** YAML documents of objects. */
export function yaml(...objects: readonly object[]): string {
  return objects.map((each) => stringify(each, { aliasDuplicateObjects: false })).join('---\n')
}

/** A Service and its EndpointSlice with one endpoint on this machine. */
export function service(name: string, port: number, annotations: Record<string, string> = {}): object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, annotations },
      spec: { ports: [{ name: 'http', port: 80 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'] }],
      ports: [{ name: 'http', port }],
    },
  ]
}

interface IngressOptions {
  readonly name?: string
  readonly host?: string
  readonly path?: string
  readonly service?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** An Ingress with one rule and one Prefix path. */
export function ingress({
  name = 'app',
  host,
  path = '/',
  service: to = 'echo',
  annotations = {},
}: IngressOptions): object {
  const backend = { service: { name: to, port: { name: 'http' } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, annotations },
    spec: {
      rules: [
        { ...(host !== undefined && { host }), http: { paths: [{ path, pathType: 'Prefix', backend }] } },
      ],
    },
  }
}

export function oidcPlugin(name: string, spec: object): object {
  return { apiVersion: 'ostiary.dev/v1alpha1', kind: 'OIDCPlugin', metadata: { name }, spec }
}

export function consumer(name: string, spec: object): object {
  return { apiVersion: 'ostiary.dev/v1alpha1', kind: 'Consumer', metadata: { name }, spec }
}

/** A labelled Secret, as OIDCPlugins refer to it. */
export function secret(name: string, values: Readonly<Record<string, string>>): object {
  const metadata = { name, labels: { 'ostiary.dev/secret': 'true' } }
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: values }
}
