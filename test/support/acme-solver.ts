const LABELS = {
  'acme.cert-manager.io/http-domain': '1234567890',
  'acme.cert-manager.io/http-token': '987654321',
  'acme.cert-manager.io/http01-solver': 'true',
}

/** Where cert-manager's solvers listen. */
const SOLVER_PORT = 8089

/** The Service of an HTTP-01 challenge as cert-manager writes it. */
export function solverService(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: LABELS, annotations: { 'auth.istio.io/8089': 'NONE' } },
    spec: {
      type: 'ClusterIP',
      ports: [{ name: 'http', port: SOLVER_PORT, targetPort: SOLVER_PORT, protocol: 'TCP' }],
    },
  }
}

export interface SolverIngressOptions {
  readonly host: string
  readonly token: string
  readonly service: string
  readonly pathType?: 'ImplementationSpecific' | 'Exact'
  /** By the field, or by the annotation that the solver's `class` sets. */
  readonly className?: string
  readonly classAnnotation?: string
  readonly port?: number
}

/** The Ingress of an HTTP-01 challenge as cert-manager writes it. */
export function solverIngress(name: string, options: SolverIngressOptions): object {
  const { host, token, service, className, classAnnotation, port = SOLVER_PORT } = options
  const path = `/.well-known/acme-challenge/${token}`
  const pathType = options.pathType ?? 'ImplementationSpecific'
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      labels: LABELS,
      annotations: {
        'nginx.ingress.kubernetes.io/whitelist-source-range': '0.0.0.0/0,::/0',
        ...(classAnnotation !== undefined && { 'kubernetes.io/ingress.class': classAnnotation }),
      },
    },
    spec: {
      ...(className !== undefined && { ingressClassName: className }),
      rules: [
        {
          host,
          http: {
            paths: [{ path, pathType, backend: { service: { name: service, port: { number: port } } } }],
          },
        },
      ],
    },
  }
}
