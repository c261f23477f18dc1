import { X509Certificate } from 'node:crypto'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** The certificates of a PEM text, in order; `undefined` where there is none or one cannot be read. */
export function readCertificates(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(CERTIFICATE) ?? []
  try {
    return blocks.length === 0 ? undefined : blocks.map((block) => new X509Certificate(block))
  } catch {
    return undefined
  }
}
