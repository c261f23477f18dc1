import { X509Certificate } from 'node:crypto'
import type { CertificateSummary } from '../../admin/dashboard/dashboard-model.ts'
import type { CompileResult } from '../../compiler/options.ts'
import type { Certificate, RoutingTable } from '../../table/routing-table.ts'

/** Certificates for people. */
export class CertificateViews {
  /** Reading a certificate takes long, and they do not change. */
  readonly #names = new WeakMap<Certificate, CertificateNames>()

  /** Those that are served, by name of their Secret. */
  summaries(table: RoutingTable, served: CompileResult['certificates']): CertificateSummary[] {
    const serverNames = Map.groupBy(table.serverNames, ({ certificate }) => certificate)
    return served.flatMap(({ id, authorities, notBeforeMs, notAfterMs }) => {
      const certificate = table.certificates[id]
      if (authorities !== undefined || certificate === undefined) return []
      const names = serverNames.get(id)?.map(({ name }) => name) ?? []
      return [{ id, serverNames: names, ...this.#namesIn(certificate), notBeforeMs, notAfterMs }]
    })
  }

  /** That which ends first of those that are served; it may have ended. */
  next(table: RoutingTable, served: CompileResult['certificates']): CertificateSummary | undefined {
    const [first] = served
      .filter(({ authorities }) => authorities === undefined)
      .sort((one, other) => one.notAfterMs - other.notAfterMs)
    return first && this.summaries(table, [first])[0]
  }

  #namesIn(certificate: Certificate): CertificateNames {
    const known = this.#names.get(certificate)
    if (known !== undefined) return known
    // Of a chain, Node reads the first: the leaf.
    const { subject, issuer } = new X509Certificate(certificate.certificateChainPem)
    const names = { subject: onOneLine(subject), issuer: onOneLine(issuer) }
    this.#names.set(certificate, names)
    return names
  }
}

interface CertificateNames {
  readonly subject: string
  readonly issuer: string
}

/** Node has a line for each part; undefined where there is none. */
function onOneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ')
}
