import { generate } from 'selfsigned'
import type { KeyPair } from '../../src/proxy/server-names.ts'

/** An authority of client certificates. */
export async function authority(
  name: string,
  { notBefore, notAfter }: Pick<ClientCertificateOptions, 'notBefore' | 'notAfter'> = {},
): Promise<KeyPair> {
  const { cert, private: privateKeyPem } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(notBefore && { notBeforeDate: notBefore }),
    ...(notAfter && { notAfterDate: notAfter }),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  return { certificateChainPem: cert, privateKeyPem }
}

export interface ClientCertificateOptions {
  readonly attributes?: readonly {
    readonly name?: string
    readonly shortName?: string
    readonly value: string
  }[]
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** What it is for; default both. */
  readonly usage?: { readonly clientAuth?: boolean; readonly serverAuth?: boolean }
  /** Makes it an authority itself. */
  readonly isAuthority?: boolean
}

/** A certificate for a client, as options of `tls.connect`. */
export async function clientCertificate(
  by: KeyPair,
  name: string,
  options: ClientCertificateOptions = {},
): Promise<{ cert: string; key: string }> {
  const { attributes = [], notBefore, notAfter, usage, isAuthority = false } = options
  const { cert, private: key } = await generate([...attributes, { name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { key: by.privateKeyPem, cert: by.certificateChainPem },
    ...(notBefore && { notBeforeDate: notBefore }),
    ...(notAfter && { notAfterDate: notAfter }),
    extensions: [
      { name: 'basicConstraints', cA: isAuthority },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: isAuthority },
      ...(usage === undefined ? [] : [{ name: 'extKeyUsage' as const, ...usage }]),
    ],
  })
  return { cert, key }
}

/** The Secret of `ostiary.dev/client-ca-secret`. */
export function caSecret(name: string, values: Readonly<Record<string, string>>): object {
  const metadata = { name, labels: { 'ostiary.dev/secret': 'true' } }
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: values }
}
