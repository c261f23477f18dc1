import { generate } from 'selfsigned'
import type { KeyPair } from '../../src/proxy/server-names.ts'

export interface CertificateOptions {
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** An RSA key of so many bits instead of P-256. */
  readonly rsaBits?: number
}

/** A self-signed certificate for a host name. */
export async function certificateFor(host: string, options: CertificateOptions = {}): Promise<KeyPair> {
  const { notBefore, notAfter, rsaBits } = options
  const key = rsaBits === undefined ? { keyType: 'ec' as const } : { keySize: rsaBits }
  const { cert, private: privateKeyPem } = await generate([{ name: 'commonName', value: host }], {
    ...key,
    algorithm: 'sha256',
    ...(notBefore && { notBeforeDate: notBefore }),
    ...(notAfter && { notAfterDate: notAfter }),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
  })
  return { certificateChainPem: cert, privateKeyPem }
}

/** A Secret of type kubernetes.io/tls. */
export function tlsSecret(name: string, { certificateChainPem, privateKeyPem }: KeyPair): object {
  const stringData = { 'tls.crt': certificateChainPem, 'tls.key': privateKeyPem }
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name }, stringData }
}

/** An Ingress with a TLS section for its host. */
export function withTls(ingress: object, secretName: string, ...hosts: readonly string[]): object {
  const { spec, ...rest } = ingress as { spec: object }
  return { ...rest, spec: { ...spec, tls: [{ hosts, secretName }] } }
}
