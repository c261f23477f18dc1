import { generate } from 'selfsigned'
import type { ConformanceBackend, ConformanceFeature } from './scenarios.ts'

export const TLS_SECRET = 'conformance-tls'

/** The Ingress of a feature, in the class under test unless the feature names another. */
export function ingressOf(feature: ConformanceFeature, className: string): object {
  const { defaultBackend, ingressClassName = className, rules = [], tlsHost } = feature
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: feature.ingress },
    spec: {
      ingressClassName,
      ...(defaultBackend !== undefined && { defaultBackend: backend(defaultBackend) }),
      ...(tlsHost !== undefined && { tls: [{ hosts: [tlsHost], secretName: TLS_SECRET }] }),
      ...(rules.length > 0 && { rules: rulesByHost(rules) }),
    },
  }
}

function rulesByHost(rules: NonNullable<ConformanceFeature['rules']>): object[] {
  return [...Map.groupBy(rules, ({ host }) => host)].map(([host, ofHost]) => ({
    host,
    http: {
      paths: ofHost.map(({ path, pathType, ...to }) => ({ path, pathType, backend: backend(to) })),
    },
  }))
}

function backend({ service, port }: ConformanceBackend): object {
  return { service: { name: service, port: typeof port === 'number' ? { number: port } : { name: port } } }
}

/** The Services that a feature's Ingress names, each once. */
export function backendsOf({ defaultBackend, rules = [] }: ConformanceFeature): ConformanceBackend[] {
  const all = [...(defaultBackend === undefined ? [] : [defaultBackend]), ...rules]
  return [...new Map(all.map(({ service, port }) => [service, { service, port }])).values()]
}

/** The port of the Service of a backend: a port that is named has its name, another has none, as in the suite. */
export function servicePort({ port }: ConformanceBackend, targetPort: number): object {
  return { port: 8080, targetPort, ...(typeof port === 'string' && { name: port }) }
}

/** A Secret with a self-signed certificate of one host. */
export async function certificateSecret(host: string): Promise<object> {
  const made = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
  })
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: TLS_SECRET },
    stringData: { 'tls.crt': made.cert, 'tls.key': made.private },
  }
}
