import type { Diagnostic } from './diagnostic.ts'

/** A certificate that is served, with what only a clock can judge. */
export interface ServedCertificate {
  /** `namespace/name` of its Secret. */
  readonly id: string
  /** RFC 5280 §4.1.2.5 of the leaf, in milliseconds since the epoch. */
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** Where it is named, each place once; the Secret itself for the default certificate. */
  readonly uses: readonly Pick<Diagnostic, 'object' | 'path' | 'origin'>[]
}
