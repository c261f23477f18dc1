import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { HeaderList } from '../../auth/decision.ts'

/** Whether the client of a connection has shown a certificate, and what upstreams are told of it. */
export type ClientCertificate =
  | { readonly state: 'none'; readonly headers: HeaderList }
  | { readonly state: 'verified'; readonly headers: HeaderList }
  /** `code` is OpenSSL's, for the log. */
  | { readonly state: 'refused'; readonly code: string }

const AUTHORITIES = Symbol('client authorities')

type AskedSocket = Socket & { [AUTHORITIES]?: string }

const NONE: ClientCertificate = { state: 'none', headers: [['Ssl-Client-Verify', 'NONE']] }

const certificates = new WeakMap<Socket, ClientCertificate>()

/** Notes whose certificates the client was asked for in the handshake. */
export function askedFor(socket: TLSSocket, authorities: string): void {
  ;(socket as AskedSocket)[AUTHORITIES] = authorities
}

/** The id of the authorities whose certificates the client was asked for; `undefined`: of none. */
export function authoritiesAskedFor(socket: Socket): string | undefined {
  return (socket as AskedSocket)[AUTHORITIES]
}

/** What was found out in the handshake, by the authorities that were asked for then. */
export function clientCertificateOf(socket: Socket): ClientCertificate {
  if (authoritiesAskedFor(socket) === undefined) return NONE
  let certificate = certificates.get(socket)
  if (certificate === undefined) {
    certificate = readCertificate(socket as TLSSocket)
    certificates.set(socket, certificate)
  }
  return certificate
}

function readCertificate(socket: TLSSocket): ClientCertificate {
  const shown = socket.getPeerX509Certificate()
  if (shown === undefined) return NONE
  if (!socket.authorized) return { state: 'refused', code: String(socket.authorizationError) }
  return {
    state: 'verified',
    headers: [
      ['Ssl-Client-Verify', 'SUCCESS'],
      ['Ssl-Client-Subject-Dn', distinguishedName(shown.subject)],
      ['Ssl-Client-Issuer-Dn', distinguishedName(shown.issuer)],
      ['Client-Cert', `:${shown.raw.toString('base64')}:`],
    ],
  }
}

/**
 * RFC 4514 §2.1: last first, parted by commas. node:crypto gives one relative name a line, escaped as that RFC has it;
 * what is not ASCII becomes escaped bytes, so that every upstream reads the same.
 */
function distinguishedName(lines: X509Certificate['subject'] | undefined): string {
  const names = (lines ?? '').split('\n').filter((line) => line !== '')
  return names
    .toReversed()
    .join(',')
    .replaceAll(/[^\x20-\x7e]+/g, (text) =>
      Buffer.from(text).toString('hex').toUpperCase().replaceAll(/../g, '\\$&'),
    )
}
