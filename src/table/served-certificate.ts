import type { Diagnostic } from './diagnostic.ts'
import type { ClientAuthorities } from './routing-table.ts'

/** A certificate that is served, or those of authorities of client certificates, with what only a clock can judge. */
export interface ServedCertificate {
  /** `namespace/name` of its Secret. */
  readonly id: string
  /** Absent: it is served. */
  readonly authorities?: ClientAuthorities
  /** RFC 5280 §4.1.2.5 of the leaf, or of the authority that is valid last and ends first, in milliseconds since the epoch. */
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** Where it is named, each place once; the Secret itself for the default certificate. */
  readonly uses: readonly Pick<Diagnostic, 'object' | 'path' | 'origin'>[]
}
