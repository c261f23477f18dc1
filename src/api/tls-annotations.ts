import type { AnnotationReader } from './annotation-reader.ts'

/** What an Ingress says of TLS. */
export const TLS_ANNOTATIONS = ['ssl-redirect', 'hsts', 'client-ca-secret', 'client-certificate'] as const

/** The TLS annotations of an Ingress, read. */
export interface TlsAnnotations {
  /** Absent: where a TLS section covers the host. */
  readonly sslRedirect?: boolean
  /** Value of Strict-Transport-Security. */
  readonly hsts?: string
  readonly clientCertificate?: ClientCertificateAnnotations
}

export interface ClientCertificateAnnotations {
  /** Name of a Secret beside the Ingress, with the certificates of the authorities in `ca.crt`. */
  readonly caSecret: string
  /** `optional`: who sends none passes, and who sends one that is not good does not. */
  readonly mode: 'required' | 'optional'
}

const SECRET_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
/** Browsers take a host into their list from a year on. */
const PRELOAD_SECONDS = 31_536_000

export function readTls(reader: AnnotationReader): TlsAnnotations {
  const sslRedirect = reader.boolean('ssl-redirect')
  const hsts = readHsts(reader)
  const clientCertificate = readClientCertificate(reader)
  return {
    ...(sslRedirect !== undefined && { sslRedirect }),
    ...(hsts !== undefined && { hsts }),
    ...(clientCertificate && { clientCertificate }),
  }
}

/** The value of the header itself (RFC 6797 §6.1), as every guide has it. */
function readHsts(reader: AnnotationReader): string | undefined {
  const value = reader.text('hsts')
  if (value === undefined) return undefined
  const [first = '', ...flags] = value.split(';').map((part) => part.trim().toLowerCase())
  const seconds = /^max-age=(\d{1,10})$/.exec(first)?.[1]
  const isKnown = flags.every((flag) => flag === 'includesubdomains' || flag === 'preload')
  if (seconds === undefined || !isKnown || new Set(flags).size < flags.length) {
    return reader.invalid(
      'hsts',
      'must be as "max-age=31536000; includeSubDomains; preload", the latter two optional',
    )
  }
  const [subdomains, preload] = [flags.includes('includesubdomains'), flags.includes('preload')]
  if (preload && (!subdomains || Number(seconds) < PRELOAD_SECONDS)) {
    return reader.invalid(
      'hsts',
      `with preload must have includeSubDomains and max-age=${PRELOAD_SECONDS} or more`,
    )
  }
  return `max-age=${Number(seconds)}${subdomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`
}

function readClientCertificate(reader: AnnotationReader): ClientCertificateAnnotations | undefined {
  const caSecret = reader.text('client-ca-secret')
  const mode = reader.choice('client-certificate', ['required', 'optional'])
  if (caSecret === undefined) {
    if (reader.text('client-certificate') === undefined) return undefined
    return reader.invalid('client-certificate', 'needs ostiary.dev/client-ca-secret beside it')
  }
  if (!SECRET_NAME.test(caSecret)) {
    return reader.invalid('client-ca-secret', 'must be the name of a Secret in the namespace of the Ingress')
  }
  return { caSecret, mode: mode ?? 'required' }
}
