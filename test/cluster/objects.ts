/** A Service without a selector, and the EndpointSlice behind it. */
export function serviceTo(name: string, address: string, port: number): object[] {
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ name: 'http', port: 80 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: 'http', port, protocol: 'TCP' }],
    },
  ]
}

export interface IngressOptions {
  readonly className: string
  readonly host: string
  readonly service?: string
  readonly plugins?: string
  /** Name of the TLS Secret. */
  readonly tls?: string
}

/** An Ingress of one host, all of whose paths lead to one Service. */
export function ingressFor(name: string, options: IngressOptions): object {
  const { className, host, service = 'echo', plugins, tls } = options
  const backend = { service: { name: service, port: { name: 'http' } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, annotations: plugins === undefined ? {} : { 'ostiary.dev/plugins': plugins } },
    spec: {
      ingressClassName: className,
      ...(tls !== undefined && { tls: [{ hosts: [host], secretName: tls }] }),
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  }
}

export function ingressClass(name: string, controller: string): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name },
    spec: { controller },
  }
}

export function oidcPlugin(name: string, spec: object): object {
  return { apiVersion: 'ostiary.dev/v1alpha1', kind: 'OIDCPlugin', metadata: { name }, spec }
}

/** A Secret, labelled for Ostiary or not. */
export function secret(
  name: string,
  stringData: Readonly<Record<string, string>>,
  labelled: boolean,
): object {
  const labels = labelled ? { 'ostiary.dev/secret': 'true' } : {}
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, labels }, stringData }
}

export function tlsSecret(name: string, certificate: string, privateKey: string): object {
  const stringData = { 'tls.crt': certificate, 'tls.key': privateKey }
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name }, stringData }
}
