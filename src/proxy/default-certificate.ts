import type { KeyPair } from './server-names.ts'

/** What the certificate is named after; no host on the internet can have this name (RFC 2606 §2). */
const DEFAULT_NAME = 'ostiary.invalid'

/**
 * A self-signed certificate of one year for TLS clients that ask for a name without one: they get a warning that
 * names Ostiary instead of a broken handshake. Made anew at each start and never stored.
 */
export async function createDefaultCertificate(now: Date): Promise<KeyPair> {
  // Loaded here, because a proxy thread never makes one.
  const { generate } = await import('selfsigned')
  const notAfterDate = new Date(now)
  notAfterDate.setUTCFullYear(now.getUTCFullYear() + 1)
  const { cert, private: privateKeyPem } = await generate([{ name: 'commonName', value: DEFAULT_NAME }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: now,
    notAfterDate,
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: DEFAULT_NAME }] }],
  })
  return { certificateChainPem: cert, privateKeyPem }
}
