import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import type { Ingress } from '../api/ingress.ts'
import { objectKey } from '../api/object.ts'
import type { Secret } from '../api/secret.ts'
import type { ClientAuthorities } from '../table/routing-table.ts'
import type { ServedCertificate } from '../table/served-certificate.ts'
import type { AnnotationIndex } from './annotation-index.ts'
import type { CompileMemo } from './compile-memo.ts'
import type { Diagnostics } from './diagnostics.ts'
import { digest } from './digest.ts'
import { byAge, compareText } from './order.ts'
import type { Lookup } from './pass-memo.ts'
import { readCertificates } from './pem.ts'
import type { Closing } from './plugin-reference.ts'

type Validity = Pick<ServedCertificate, 'notBeforeMs' | 'notAfterMs'>

/** What an Ingress with `client-ca-secret` gets from its Secret. */
export type AuthoritiesReading =
  | ({ readonly ok: true; readonly authorities: ClientAuthorities } & Validity)
  | { readonly ok: false; readonly closing: Closing; readonly remedy: string }

const PATH = `metadata.annotations[${ANNOTATION_PREFIX}client-ca-secret]`
const REVOCATION_LIST = /^\s*(-----BEGIN X509 CRL-----[A-Za-z0-9+/=\s]+-----END X509 CRL-----\s*)+$/

/**
 * Finds whose client certificates are taken. A handshake knows the host alone, so that a host has one set of
 * authorities, that of the oldest Ingress which names a good one; whatever is unclear closes the routes that asked for
 * certificates.
 */
export class ClientCertificates {
  readonly #secrets: Lookup<Secret>
  readonly #memo: CompileMemo
  readonly #annotations: AnnotationIndex
  readonly #diagnostics: Diagnostics
  readonly #readings = new Map<Ingress, AuthoritiesReading | undefined>()

  constructor(
    secrets: Lookup<Secret>,
    annotations: AnnotationIndex,
    { diagnostics, memo }: { readonly diagnostics: Diagnostics; readonly memo: CompileMemo },
  ) {
    this.#secrets = secrets
    this.#memo = memo
    this.#annotations = annotations
    this.#diagnostics = diagnostics
  }

  /** What Ingresses ask for, by Secret: for who has a clock. */
  inUse(ingresses: readonly Ingress[]): ServedCertificate[] {
    const bySecret = new Map<string, ServedCertificate>()
    for (const ingress of ingresses) {
      const reading = this.#read(ingress)
      if (reading?.ok !== true) continue
      const { namespace, name } = ingress.metadata
      const { clientCertificate } = this.#annotations.of(ingress).tls
      const id = objectKey({ namespace, name: clientCertificate?.caSecret ?? '' })
      const { origin } = ingress
      const use = {
        object: { kind: ingress.kind, namespace, name },
        path: PATH,
        ...(origin && { origin: { file: origin.file, line: origin.line } }),
      }
      const { authorities, notBeforeMs, notAfterMs } = reading
      const uses = [...(bySecret.get(id)?.uses ?? []), use]
      bySecret.set(id, { id, authorities, notBeforeMs, notAfterMs, uses })
    }
    return [...bySecret.values()].sort((a, b) => compareText(a.id, b.id))
  }

  /** Of a host on which these Ingresses have routes. */
  ofHost(ingresses: readonly Ingress[]): ClientAuthorities | undefined {
    for (const ingress of [...ingresses].sort(byAge)) {
      const reading = this.#read(ingress)
      if (reading?.ok === true) return reading.authorities
    }
    return undefined
  }

  /** Why the routes of an Ingress are closed on a host with these authorities. */
  closing(ingress: Ingress, ofHost: ClientAuthorities | undefined): Closing | undefined {
    const reading = this.#read(ingress)
    if (reading === undefined) return undefined
    if (!reading.ok) return reading.closing
    if (reading.authorities.id === ofHost?.id) return undefined
    const message = 'has other authorities than an older Ingress has for the same host'
    this.#diagnostics.report(ingress, {
      severity: 'error',
      reason: 'ClientCaConflict',
      path: PATH,
      message: `${message}; its routes there answer 503`,
      remedy: 'Name Secrets of equal content for one host.',
    })
    return { reason: 'ClientCaConflict', message: `client-ca-secret ${message}.` }
  }

  #read(ingress: Ingress): AuthoritiesReading | undefined {
    if (this.#readings.has(ingress)) return this.#readings.get(ingress)
    const { clientCertificate } = this.#annotations.of(ingress).tls
    const reading = clientCertificate && this.#readSecret(ingress, clientCertificate.caSecret)
    this.#readings.set(ingress, reading)
    if (reading?.ok === false) {
      const { closing, remedy } = reading
      const message = `${closing.message}; its routes answer 503`
      this.#diagnostics.report(ingress, {
        severity: 'error',
        reason: closing.reason,
        path: PATH,
        message,
        remedy,
      })
    }
    return reading
  }

  #readSecret(ingress: Ingress, name: string): AuthoritiesReading {
    const key = objectKey({ namespace: ingress.metadata.namespace, name })
    const secret = this.#secrets.get(key)
    if (secret !== undefined) return this.#known(secret, key)
    const message = `names Secret ${key}, which is not there or not labelled`
    const remedy = `Create it, and label it: kubectl label secret ${name} ostiary.dev/secret=true`
    return { ok: false, closing: { reason: 'SecretNotFound', message }, remedy }
  }

  #known(secret: Secret, key: string): AuthoritiesReading {
    const known = this.#memo.authorities.get(secret) ?? readAuthorities(secret, key)
    this.#memo.authorities.set(secret, known)
    return known
  }
}

function readAuthorities({ values }: Secret, key: string): AuthoritiesReading {
  const certificates = readCertificates(values['ca.crt']?.reveal() ?? '')
  if (certificates === undefined) return invalid(`names Secret ${key}, whose ca.crt is not PEM certificates`)
  if (certificates.some(({ ca }) => !ca)) {
    return invalid(`names Secret ${key}, whose ca.crt has a certificate that is not an authority's`)
  }
  const crlPem = values['ca.crl']?.reveal()
  if (crlPem !== undefined && !REVOCATION_LIST.test(crlPem)) {
    return invalid(`names Secret ${key}, whose ca.crl is not PEM revocation lists`)
  }
  const caPem = certificates.map((each) => each.toString()).join('')
  const content = { caPem, ...(crlPem !== undefined && { crlPem }) }
  return {
    ok: true,
    authorities: { id: digest(content), ...content },
    notBeforeMs: Math.max(...certificates.map(({ validFromDate }) => validFromDate.getTime())),
    notAfterMs: Math.min(...certificates.map(({ validToDate }) => validToDate.getTime())),
  }
}

function invalid(message: string): AuthoritiesReading {
  const remedy =
    'Put the authorities into ca.crt and, where some are revoked, their lists into ca.crl, both PEM.'
  return { ok: false, closing: { reason: 'ClientCaInvalid', message }, remedy }
}
