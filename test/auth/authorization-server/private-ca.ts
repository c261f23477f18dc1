import { generate, type SelfsignedOptions } from 'selfsigned'

/** PEM texts of a private CA and of a server certificate that it signed. */
export interface PrivateCa {
  readonly ca: string
  readonly key: string
  readonly cert: string
}

type AltName = { readonly type: 7; readonly ip: string } | { readonly type: 2; readonly value: string }

const EC: SelfsignedOptions = { keyType: 'ec', algorithm: 'sha256' }

/** Makes a CA and a certificate for an IP address (type 7) or a DNS name (type 2). */
export async function createPrivateCa(altName: AltName): Promise<PrivateCa> {
  const ca = await generate([{ name: 'commonName', value: 'Test CA' }], {
    ...EC,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const server = await generate([{ name: 'commonName', value: 'server' }], {
    ...EC,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: [altName] },
    ],
    ca: { key: ca.private, cert: ca.cert },
  })
  return { ca: ca.cert, key: server.private, cert: server.cert }
}
