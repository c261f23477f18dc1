import type { AuthorizationServer } from '../table/policy.ts'
import type { Asked } from './ask.ts'
import { failed, ok, skipped, warning, type Finding } from './finding.ts'

const LOOPBACK = /^http:\/\/(localhost|127\.[0-9.]+|\[::1\])([:/]|$)/

/** What to do about each way in which a certificate can be wrong. */
const FIXES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "Renew the server's certificate; if it is not expired, set this machine's clock.",
  CERT_NOT_YET_VALID: "Set this machine's clock.",
  ERR_TLS_CERT_ALTNAME_INVALID: 'Name the server in spec.issuer by a host that its certificate is for.',
}
const UNKNOWN_ISSUER =
  'Put the PEM of the CA into a Secret under the key ca.crt, label it ostiary.dev/secret=true, and set ' +
  'spec.caSecretRef: { name: … }. The file must hold the whole chain above the server.'

/** Whether the code of an error is about a certificate or the handshake. */
export function isTlsError(code: string): boolean {
  return (
    code in FIXES ||
    /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|INVALID_CA|HOSTNAME_|EPROTO)/.test(
      code,
    )
  )
}

/** Whether the server is spoken to over TLS that is verified. */
export function checkTls(server: AuthorizationServer, answer: Asked | undefined): Finding {
  if (LOOPBACK.test(server.issuer)) return skipped('tls', 'the issuer is plain http on this machine')
  if (server.issuer.startsWith('http:')) {
    return warning(
      'tls',
      'the issuer is plain http',
      'Use https: tokens and secrets travel unencrypted, and anyone on the way can pose as the server.',
    )
  }
  if (answer === undefined) return skipped('tls', 'nothing was asked')
  if (!answer.ok) {
    if (!isTlsError(answer.code)) return skipped('tls', 'the server was not reached')
    return failed('tls', `the connection was refused: ${answer.code}`, FIXES[answer.code] ?? UNKNOWN_ISSUER)
  }
  if (server.insecureSkipTlsVerify) {
    const fix = 'Remove spec.insecureSkipTlsVerify; for a private CA, set spec.caSecretRef instead.'
    return warning('tls', "the server's certificate is not verified", fix)
  }
  const by = server.certificateAuthorities === undefined ? "this machine's" : "spec.caSecretRef's"
  return ok('tls', `the certificate is verified against ${by} authorities`)
}
