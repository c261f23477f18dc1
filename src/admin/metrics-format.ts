/** The forms that Prometheus and its kin read metrics in. */
export type MetricsFormat = 'prometheus' | 'openmetrics'

const MEDIA_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain',
  openmetrics: 'application/openmetrics-text',
}

/**
 * The form that an Accept field prefers. A wildcard, or a field that names neither, gets the one that everybody reads.
 *
 * @see RFC 9110 §12.5.1
 * @see https://prometheus.io/docs/instrumenting/content_negotiation/
 */
export function preferredFormat(accept: string | undefined): MetricsFormat {
  const weights = weightsOf(accept ?? '')
  const weightOf = (format: MetricsFormat): number => weights.get(MEDIA_TYPES[format]) ?? 0
  return weightOf('openmetrics') > weightOf('prometheus') ? 'openmetrics' : 'prometheus'
}

/** The highest weight of each media type that is named. */
function weightsOf(accept: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>()
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((each) => /^q\s*=/.test(each))
    const weight = quality === undefined ? 1 : Number(quality.slice(quality.indexOf('=') + 1))
    weights.set(type, Math.max(weights.get(type) ?? 0, Number.isNaN(weight) ? 0 : weight))
  }
  return weights
}
