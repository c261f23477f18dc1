import type { AnnotationReader } from './annotation-reader.ts'

/** What an Ingress says of TLS. */
export const TLS_ANNOTATIONS = ['ssl-redirect'] as const

/** The TLS annotations of an Ingress, read. */
export interface TlsAnnotations {
  /** Absent: where a TLS section covers the host. */
  readonly sslRedirect?: boolean
}

/** Reads `ssl-redirect`. */
export function readTls(reader: AnnotationReader): TlsAnnotations {
  const sslRedirect = reader.boolean('ssl-redirect')
  return { ...(sslRedirect !== undefined && { sslRedirect }) }
}
