const text = { type: 'string' }
const texts = { type: 'object', additionalProperties: text }
const relabelings = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      action: text,
      regex: text,
      replacement: text,
      separator: text,
      sourceLabels: { type: 'array', items: text },
      targetLabel: text,
    },
  },
}
const duration = { type: 'string', pattern: '^[0-9]+(ms|s|m|h)$' }
const endpoints = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      port: text,
      path: text,
      interval: duration,
      scrapeTimeout: duration,
      honorLabels: { type: 'boolean' },
      relabelings,
      metricRelabelings: relabelings,
    },
  },
}

function monitorCrd(kind: string, endpointsName: string) {
  return monitoringCrd(kind, {
    type: 'object',
    required: ['selector', endpointsName],
    properties: {
      selector: { type: 'object', properties: { matchLabels: texts } },
      namespaceSelector: { type: 'object', properties: { matchNames: { type: 'array', items: text } } },
      [endpointsName]: endpoints,
    },
  })
}

const rule = {
  type: 'object',
  required: ['expr'],
  properties: {
    alert: text,
    expr: text,
    for: { type: 'string', pattern: '^(0|([0-9]+(ms|s|m|h|d))+)$' },
    labels: texts,
    annotations: texts,
  },
}
const groups = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name'],
    properties: { name: text, rules: { type: 'array', items: rule } },
  },
}

function monitoringCrd(kind: string, spec: object) {
  const plural = `${kind.toLowerCase()}s`
  const openAPIV3Schema = { type: 'object', required: ['spec'], properties: { spec } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      group: 'monitoring.coreos.com',
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  }
}

/**
 * As much of the Prometheus operator's CRDs as tells a field that they know from another, where the operator is not
 * installed.
 *
 * @see https://prometheus-operator.dev/docs/api-reference/api/
 */
export const MONITORING_CRDS = [
  monitorCrd('ServiceMonitor', 'endpoints'),
  monitorCrd('PodMonitor', 'podMetricsEndpoints'),
  monitoringCrd('PrometheusRule', { type: 'object', properties: { groups } }),
]
