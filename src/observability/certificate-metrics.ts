import { X509Certificate } from 'node:crypto'
import { Gauge, type Registry } from 'prom-client'

type Certificates = Readonly<Record<string, { readonly certificateChainPem: string }>>

/**
 * When the certificates end that are served.
 *
 * @returns What takes those of the newest table, by the `namespace/name` of their Secrets.
 */
export function createCertificateMetrics(registry: Registry): (certificates: Certificates) => void {
  const notAfter = new Gauge({
    name: 'ostiary_tls_cert_not_after_timestamp_seconds',
    help: 'When a certificate that is served ends, by its Secret',
    labelNames: ['namespace', 'name'],
    registers: [registry],
  })
  let known: ReadonlyMap<string, string> = new Map()
  return (certificates) => {
    const next = new Map<string, string>()
    for (const [id, { certificateChainPem }] of Object.entries(certificates)) {
      next.set(id, certificateChainPem)
      if (known.get(id) !== certificateChainPem) notAfter.set(labelsOf(id), endOf(certificateChainPem))
    }
    for (const id of known.keys()) if (!next.has(id)) notAfter.remove(labelsOf(id))
    known = next
  }
}

/** Of the leaf, which comes first. */
function endOf(chainPem: string): number {
  return new X509Certificate(chainPem).validToDate.getTime() / 1000
}

function labelsOf(id: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = id.split('/')
  return { namespace, name }
}
